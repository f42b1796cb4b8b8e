package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.config.ConfigException;
import dev.waymark.config.ConfigLoader;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every file for TLS that cannot be used is named in one go, with what named it. */
final class TlsConfigCheckTest {
  private static final String NO_KEY = ": has no private key (-----BEGIN PRIVATE KEY-----)";

  @TempDir Path folder;
  private Authority root;
  private Issued one;
  private Issued two;

  @BeforeEach
  void issue() throws IOException {
    root = Authority.root(folder.resolve("root"), "root");
    one = root.issue(Request.server("one.example"));
    two = root.issue(Request.server("two.example"));
  }

  @Test
  void files_givenByFlags_areNamedWithThem() {
    Path missing = folder.resolve("missing");
    assertRefused(
        Map.of(
            "--listen",
            "127.0.0.1:0,127.0.0.1:0",
            "--tls-certificate",
            missing.toString(),
            "--tls-key",
            one.certificate().toString(),
            "--admin-tls-certificate",
            two.certificate().toString()),
        Map.of(),
        "--tls-certificate: " + missing + ": no such file; check the path",
        "--tls-key: " + one.certificate() + NO_KEY,
        "--admin-tls-certificate: "
            + two.certificate()
            + NO_KEY
            + "; add it, or name the file that has it with --admin-tls-key");
  }

  @Test
  void file_givenByAVariable_isNamedWithIt() {
    assertRefused(
        Map.of(),
        Map.of("WAYMARK_TLS_CERTIFICATE", one.certificate().toString()),
        "environment WAYMARK_TLS_CERTIFICATE: "
            + one.certificate()
            + NO_KEY
            + "; add it, or name the file that has it with WAYMARK_TLS_KEY");
  }

  @Test
  void files_givenByTheConfiguration_areNamedWithTheirPlaces() throws IOException {
    Path config = folder.resolve("waymark.yml");
    Files.writeString(
        config,
        """
        listeners:
        - name: a
          address: 127.0.0.1:7001
          tls: {certificates: [{certificate: %1$s, key: %2$s}]}
        - name: b
          address: 127.0.0.1:7002
          tls: {certificates: [{certificate: %1$s}]}
        pools:
        - name: a
          target: unix:/a
          tls: {mode: required, ca: %2$s}
        """
            .formatted(one.certificate(), two.key()));
    assertThatThrownBy(
            () -> TlsConfigCheck.check(ConfigLoader.load(Optional.of(config), Map.of(), Map.of())))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            String.join(
                "\n",
                config
                    + ":4:38: listeners[0].tls.certificates[0].certificate: "
                    + one.certificate()
                    + ": does not belong to the private key in "
                    + two.key(),
                config
                    + ":7:38: listeners[1].tls.certificates[0].certificate: "
                    + one.certificate()
                    + NO_KEY
                    + "; add it, or name the file that has it with"
                    + " listeners[1].tls.certificates[0].key",
                config
                    + ":11:29: pools[0].tls.ca: "
                    + two.key()
                    + ": has no certificate (-----BEGIN CERTIFICATE-----)"));
  }

  @Test
  void files_thatFitTogether_areAccepted() {
    Map<String, String> flags =
        Map.of(
            "--tls-certificate", one.certificate().toString(), "--tls-key", one.key().toString());
    assertThatCode(() -> TlsConfigCheck.check(ConfigLoader.load(Optional.empty(), flags, Map.of())))
        .doesNotThrowAnyException();
  }

  private static void assertRefused(
      Map<String, String> flags, Map<String, String> environment, String... lines) {
    assertThatThrownBy(
            () -> TlsConfigCheck.check(ConfigLoader.load(Optional.empty(), flags, environment)))
        .isInstanceOf(ConfigException.class)
        .hasMessage(String.join("\n", lines));
  }
}
