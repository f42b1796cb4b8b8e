package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.config.PoolConfig.Registry;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RegistryAddressTest {
  @Test
  void directories_areEachARegistry() throws BadValueException {
    RegistryAddress read = RegistryAddress.read("Directory://10.0.0.7:7400,[::1]:7400/");
    assertThat(read.servers()).containsExactly("10.0.0.7:7400", "[::1]:7400");
    assertThat(read.each())
        .extracting(RegistryAddress::text)
        .containsExactly("directory://10.0.0.7:7400", "directory://[::1]:7400");
  }

  @Test
  void etcd_isOneRegistryWithAPrefix() throws BadValueException {
    RegistryAddress read = RegistryAddress.read("etcd://a:2379,b:2379/prod/waymark");
    assertThat(read)
        .isEqualTo(new RegistryAddress(Registry.ETCD, List.of("a:2379", "b:2379"), "prod/waymark"));
    assertThat(read.each()).containsExactly(read);
    assertThat(read.text()).isEqualTo("etcd://a:2379,b:2379/prod/waymark");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "10.0.0.7:7400 | directory://SERVER:PORT[,SERVER:PORT] or etcd://SERVER:PORT[,SERVER:PORT]/PREFIX",
        "xds://a:1/b | directory://SERVER:PORT[,SERVER:PORT] or etcd://SERVER:PORT[,SERVER:PORT]/PREFIX",
        "directory:// | HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000",
        "directory://a:1/echo | directory://SERVER:PORT[,SERVER:PORT], without a service",
        "directory://a | HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000",
        "etcd://a:1 | a prefix, such as etcd://10.0.0.7:2379/waymark",
        "etcd://a:1/ | a prefix, such as etcd://10.0.0.7:2379/waymark"
      })
  void text_ofAnotherForm_isRefused(String text, String expected) {
    assertThatThrownBy(() -> RegistryAddress.read(text))
        .isInstanceOfSatisfying(
            BadValueException.class, bad -> assertThat(bad.expected()).isEqualTo(expected));
  }
}
