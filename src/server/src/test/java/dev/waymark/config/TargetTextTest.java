package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.PoolConfig.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TargetTextTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "dns:///echo.example.com:4770",
        "dns://10.0.0.1:53/echo.example.com:4770",
        "srv:///_echo._tcp.example.com",
        "file:///etc/waymark/upstreams.yml",
        "k8s:///echo.shop:grpc",
        "k8s://127.0.0.1:8001/echo.shop:4770",
        "directory://10.0.0.1:7400,10.0.0.2:7400/echo",
        "etcd://10.0.0.1:2379/services/echo",
        "xds://10.0.0.1:7400/echo"
      })
  void text_isTheTargetAsItIsWritten(String text) throws BadValueException {
    assertThat(TargetText.of(target(text))).isEqualTo(text);
  }

  @Test
  void text_ofAList_isItsLength() throws BadValueException {
    assertThat(TargetText.of(target("static:///a:1,b:2"))).isEqualTo("a list of 2");
  }

  @ParameterizedTest
  @CsvSource({
    "static:///echo:1, echo, false",
    "dns:///echo:4770, ECHO, true",
    "srv:///_echo._tcp.example.com, echo, true",
    "srv:///_echo._tcp.example.com, _echo._tcp.example.com, true",
    "srv:///_echo._tcp.example.com, ech, false",
    "file:///etc/echo, /etc/echo, true",
    "k8s:///echo.shop:1, echo, true",
    "k8s:///echo.shop:1, echo.shop, true",
    "k8s:///echo.shop:1, shop, false",
    "directory://a:1/echo, echo, true",
    "directory://a:1/echo, Echo, false",
    "etcd://a:1/services/echo, echo, true",
    "etcd://a:1/services/echo, services/echo, true",
    "etcd://a:1/services/echo, cho, false",
  })
  void service_isNamedInFullOrAsPeopleDo(String target, String service, boolean isOf)
      throws BadValueException {
    assertThat(TargetText.isOf(target(target), service)).isEqualTo(isOf);
  }

  private static Target target(String text) throws BadValueException {
    return Targets.target().reader().read(text);
  }
}
