package dev.waymark.upstreams.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResolvConfTest {
  @Test
  void lines_areParsedAsByTheCLibrary() {
    ResolvConf conf =
        ResolvConf.parse(
            """
            # nameserver 9.9.9.9
            ; nameserver 9.9.9.8
            domain first.example
            search svc.cluster.local\tcluster.local .
            nameserver 10.0.0.2
              nameserver ::1
            nameserver a.name.is.no.address
            options ndots:5 timeout:1 rotate
            sortlist 10.0.0.0
            """);
    assertThat(conf)
        .isEqualTo(
            new ResolvConf(
                List.of(new InetSocketAddress("10.0.0.2", 53), new InetSocketAddress("::1", 53)),
                List.of("svc.cluster.local", "cluster.local"),
                5,
                true));
  }

  @Test
  void limits_areEnforced() {
    ResolvConf conf =
        ResolvConf.parse(
            "nameserver 10.0.0.1\n".repeat(9)
                + "search a b c d e f g h\noptions ndots:99999999999 ndots:x\n");
    assertThat(conf.servers()).hasSize(ResolvConf.SERVERS_MAX);
    assertThat(conf.search()).containsExactly("a", "b", "c", "d", "e", "f");
    assertThat(conf.ndots()).isEqualTo(ResolvConf.NDOTS_MAX);
  }

  @Test
  void emptyFile_hasNoServers() {
    assertThat(ResolvConf.parse("")).isEqualTo(ResolvConf.NONE);
    assertThat(ResolvConf.parse("nameserver\noptions\n")).isEqualTo(ResolvConf.NONE);
  }

  @Test
  void files_areReadAgainWhenTheyChange(@TempDir Path folder) throws IOException {
    Path conf = folder.resolve("resolv.conf");
    Path hosts = folder.resolve("hosts");
    ResolverFiles files = new ResolverFiles(conf, hosts);
    assertThat(files.resolvConf()).isEqualTo(ResolvConf.NONE);
    assertThat(files.hosts().ipv4Entries()).isEmpty();
    Files.writeString(conf, "nameserver 10.0.0.1\n");
    assertThat(files.hasChanged()).isTrue();
    assertThat(files.resolvConf().servers()).containsExactly(new InetSocketAddress("10.0.0.1", 53));
    assertThat(files.hasChanged()).isFalse();
    Files.writeString(conf, "nameserver 10.0.0.200\n");
    Files.writeString(hosts, "127.0.0.1 stub_one\n");
    assertThat(files.hasChanged()).isTrue();
    assertThat(files.resolvConf().servers())
        .containsExactly(new InetSocketAddress("10.0.0.200", 53));
    assertThat(files.hosts().ipv4Entries()).containsKey("stub_one");
    assertThat(files.hasChanged()).isFalse();
    Files.delete(conf);
    assertThat(files.resolvConf()).isEqualTo(ResolvConf.NONE);
  }
}
