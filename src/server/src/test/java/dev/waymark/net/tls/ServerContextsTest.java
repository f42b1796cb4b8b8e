package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.config.ConfigLoader;
import dev.waymark.config.ServerTlsConfig;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerContextsTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static Authority root;

  @BeforeAll
  static void start() throws IOException {
    Authority.assumeOpenssl();
    root = Authority.root(folder.resolve("root"), "root");
  }

  private static ServerTlsConfig config(Issued... pairs) throws IOException {
    String certificates =
        Arrays.stream(pairs)
            .map(pair -> "{certificate: %s, key: %s}".formatted(pair.certificate(), pair.key()))
            .collect(Collectors.joining(", "));
    Path file = folder.resolve("waymark.yml");
    Files.writeString(file, "listeners: [{tls: {certificates: [" + certificates + "]}}]\n");
    return ConfigLoader.load(Optional.of(file), Map.of(), Map.of())
        .config()
        .listeners()
        .getFirst()
        .tls();
  }

  private static ServerContexts load(Issued... pairs) throws IOException, TlsFileException {
    return ServerContexts.load(config(pairs), SslProvider.JDK, Instant.now(), Optional.empty());
  }

  @Test
  void name_findsItsCertificate_orAWildcardForIt_orTheDefault() throws Exception {
    Issued first = root.issue(Request.server("first.example"));
    Issued both = root.issue(Request.server("b.example", "*.w.example"));
    Issued exact = root.issue(Request.server("exact.w.example", "first.example"));
    ServerContexts contexts = load(first, both, exact);
    SslContext byDefault = contexts.find(null);
    SslContext second = contexts.find("b.example");
    assertThat(second).isNotSameAs(byDefault);
    assertThat(contexts.find("x.w.example")).isSameAs(second);
    assertThat(contexts.find("exact.w.example")).isNotIn(byDefault, second);
    // One level below, no more and no less.
    for (String other : List.of("x.y.w.example", "w.example", ".w.example.", "example", "", ".")) {
      assertThat(contexts.find(other)).as(other).isSameAs(byDefault);
    }
    // The first that has a name.
    assertThat(contexts.find("first.example")).isSameAs(byDefault);
    contexts.release();
  }

  @Test
  void files_thatDoNotFit_areRefused() throws Exception {
    Issued one = root.issue(Request.server("one.example"));
    Issued two = root.issue(Request.server("two.example"));
    Instant now = Instant.now();
    Issued old =
        root.issue(
            Request.server("old.example")
                .valid(now.minus(2, ChronoUnit.HOURS), now.minus(1, ChronoUnit.HOURS)));
    Issued early =
        root.issue(
            Request.server("early.example")
                .valid(now.plus(1, ChronoUnit.HOURS), now.plus(2, ChronoUnit.HOURS)));
    assertRefused(
        "does not belong to the private key in", new Issued(one.certificate(), two.key()));
    assertRefused("expired at", old);
    assertRefused("check the host's clock", early);
    assertRefused("has no private key", new Issued(one.certificate(), one.certificate()));
    assertRefused("has no certificate", new Issued(one.key(), one.key()));
  }

  private static void assertRefused(String problem, Issued pair) {
    assertThatThrownBy(() -> load(pair))
        .isInstanceOf(TlsFileException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void certificateAndKey_inOneFile_areRead() throws Exception {
    Issued one = root.issue(Request.server("one.example"));
    Path both = folder.resolve("both.pem");
    Files.writeString(both, Files.readString(one.key()) + Files.readString(one.certificate()));
    Files.setPosixFilePermissions(both, Files.getPosixFilePermissions(one.key()));
    ServerContexts contexts = load(new Issued(both, both));
    assertThat(contexts.identities().getFirst().label()).isEqualTo("one.example");
    contexts.release();
  }
}
