package dev.waymark.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.api.http.Authentication;
import dev.waymark.api.http.Authenticator.Credentials;
import dev.waymark.api.http.Denial;
import dev.waymark.api.http.Sender;
import dev.waymark.config.AdminConfig;
import dev.waymark.config.AdminTls;
import dev.waymark.config.AdminTokens;
import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ServerTlsConfig;
import dev.waymark.config.TlsKeys;
import dev.waymark.telemetry.EventLog;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AdminAccessTest {
  private static final Sender ALICE = new Sender("alice", true);
  private static final Sender CI = new Sender("ci", false);

  @TempDir private Path folder;

  /** Returns a line of a token file. */
  static String line(String name, String role, String token) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      byte[] hash = sha256.digest(token.getBytes(StandardCharsets.UTF_8));
      return name + " " + role + " " + HexFormat.of().formatHex(hash) + "\n";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Writes a token file that only its owner may read. */
  static Path write(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return file;
  }

  private static AdminAccess on(String host, Optional<AdminTokens> tokens) {
    return new AdminAccess(config(host, tokens, Optional.empty()), new EventLog(() -> 0));
  }

  private static AdminConfig config(
      String host, Optional<AdminTokens> tokens, Optional<AdminTls> tls) {
    return new AdminConfig(new InetSocketAddress(host, 0), List.of(), tokens, tls);
  }

  /** Client certificates of *.ops.example may operate, those below spiffe://a/ may read. */
  private static AdminAccess withCertificates(String host, Optional<AdminTokens> tokens) {
    ServerTlsConfig server =
        new ServerTlsConfig(
            "(admin)",
            List.of(new CertificateFiles(Path.of("unread"), Path.of("unread"))),
            TlsKeys.KeyPermissions.STRICT,
            TlsKeys.Engine.JDK,
            "TLSv1.2",
            List.of(),
            Optional.empty(),
            new ServerTlsConfig.ClientCertificates(
                TlsKeys.ClientAuth.OPTIONAL,
                Optional.of(Path.of("unread")),
                Optional.empty(),
                true),
            Duration.ofSeconds(1));
    AdminTls tls = new AdminTls(server, List.of("spiffe://a/*"), List.of("ops.example"));
    return new AdminAccess(config(host, tokens, Optional.of(tls)), new EventLog(() -> 0));
  }

  private static Authentication present(AdminAccess access, List<String> names, String... headers) {
    return access.admit(new Credentials(List.of(headers), Optional.of(names)));
  }

  private static Authentication admit(AdminAccess access, String... authorization) {
    return access.admit(new Credentials(List.of(authorization), Optional.empty()));
  }

  private Optional<AdminTokens> tokens() throws IOException {
    String text = line("alice", "operate", "a1") + line("ci", "read", "c1");
    return Optional.of(AdminTokens.read(write(folder.resolve("tokens"), text), false));
  }

  @Test
  void loopback_withoutTokens_letsEverybodyOperate() {
    for (String host : List.of("127.0.0.1", "127.0.0.9", "::1")) {
      assertThat(admit(on(host, Optional.empty()))).isEqualTo(new Sender("loopback", true));
    }
  }

  @Test
  void otherAddress_withoutTokens_letsNobodyIn() {
    for (String host : List.of("0.0.0.0", "::", "192.0.2.1")) {
      AdminAccess access = on(host, Optional.empty());
      assertThat(admit(access)).isEqualTo(Denial.NO_TOKENS);
      assertThat(admit(access, "Bearer a1")).isEqualTo(Denial.NO_TOKENS);
    }
  }

  @Test
  void tokens_onAnyAddress_areRequired() throws IOException {
    for (String host : List.of("127.0.0.1", "0.0.0.0")) {
      AdminAccess access = on(host, tokens());
      assertThat(admit(access)).isEqualTo(Denial.NO_CREDENTIALS);
      assertThat(admit(access, "Bearer a1")).isEqualTo(ALICE);
      assertThat(admit(access, "bearer  c1 ")).isEqualTo(CI);
      assertThat(admit(access, "Bearer a2")).isEqualTo(Denial.UNKNOWN_TOKEN);
    }
  }

  @Test
  void header_thatIsNotOneBearerToken_isMalformed() throws IOException {
    AdminAccess access = on("127.0.0.1", tokens());
    for (String header : List.of("", "a1", "Basic YTpi", "Bearer", "Bearer ", "Bearer a1 a1")) {
      assertThat(admit(access, header)).as(header).isEqualTo(Denial.MALFORMED);
    }
    assertThat(admit(access, "Bearer a1", "Bearer c1")).isEqualTo(Denial.MALFORMED);
  }

  @Test
  void fileReplaced_byValidOne_takesEffect_byInvalidOne_leavesTheFormer() throws IOException {
    AdminAccess access = on("0.0.0.0", tokens());
    Path file = folder.resolve("tokens");
    write(file, line("bob", "read", "longer"));
    access.refresh();
    assertThat(admit(access, "Bearer a1")).isEqualTo(Denial.UNKNOWN_TOKEN);
    assertThat(admit(access, "Bearer longer")).isEqualTo(new Sender("bob", false));

    write(file, "bob read");
    access.refresh();
    assertThat(access.isStale()).isTrue();
    assertThat(admit(access, "Bearer longer")).isEqualTo(new Sender("bob", false));

    write(file, line("ci", "read", "c1"));
    access.refresh();
    assertThat(access.isStale()).isFalse();
    assertThat(admit(access, "Bearer c1")).isEqualTo(CI);
  }

  @Test
  void clientCertificate_hasTheRoleOfItsNames() {
    for (String host : List.of("127.0.0.1", "0.0.0.0")) {
      AdminAccess access = withCertificates(host, Optional.empty());
      assertThat(present(access, List.of("other", "ops.example")))
          .isEqualTo(new Sender("certificate:ops.example", true));
      assertThat(present(access, List.of("spiffe://a/b")))
          .isEqualTo(new Sender("certificate:spiffe://a/b", false));
      assertThat(present(access, List.of("spiffe://a/b", "OPS.example")))
          .isEqualTo(new Sender("certificate:OPS.example", true));
      assertThat(present(access, List.of("evil.example"))).isEqualTo(Denial.UNKNOWN_CERTIFICATE);
      assertThat(present(access, List.of())).isEqualTo(Denial.UNKNOWN_CERTIFICATE);
      assertThat(admit(access)).isEqualTo(Denial.NO_CERTIFICATE);
    }
  }

  @Test
  void tokenBesideAClientCertificate_counts() throws IOException {
    AdminAccess access = withCertificates("0.0.0.0", tokens());
    assertThat(present(access, List.of("ops.example"), "Bearer c1")).isEqualTo(CI);
    assertThat(present(access, List.of("ops.example"), "Bearer wrong"))
        .isEqualTo(Denial.UNKNOWN_TOKEN);
    assertThat(admit(access, "Bearer a1")).isEqualTo(ALICE);
    assertThat(admit(access)).isEqualTo(Denial.NO_CREDENTIALS);
  }

  @Test
  void reload_withoutTokens_closesAllButLoopback() throws IOException {
    AdminAccess access = on("0.0.0.0", tokens());
    access.use(config("0.0.0.0", Optional.empty(), Optional.empty()));
    access.refresh();
    assertThat(admit(access, "Bearer a1")).isEqualTo(Denial.NO_TOKENS);
  }
}
