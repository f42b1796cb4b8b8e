package dev.waymark.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.api.http.Admission;
import dev.waymark.api.http.Authenticator.Credentials;
import dev.waymark.api.http.Denial;
import dev.waymark.api.http.Identity;
import dev.waymark.config.AdminConfig;
import dev.waymark.config.AdminTokens;
import dev.waymark.telemetry.EventLog;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AdminAccessTest {
  private static final Identity ALICE = new Identity("alice", true);
  private static final Identity CI = new Identity("ci", false);

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

  private AdminAccess on(String host, Optional<AdminTokens> tokens) {
    InetSocketAddress address = new InetSocketAddress(host, 0);
    return new AdminAccess(new AdminConfig(address, List.of(), tokens), new EventLog(() -> 0));
  }

  private static Admission admit(AdminAccess access, String... authorization) {
    return access.admit(new Credentials(List.of(authorization)));
  }

  private Optional<AdminTokens> tokens() throws IOException {
    String text = line("alice", "operate", "a1") + line("ci", "read", "c1");
    return Optional.of(AdminTokens.read(write(folder.resolve("tokens"), text), false));
  }

  @Test
  void loopback_withoutTokens_letsEverybodyOperate() {
    for (String host : List.of("127.0.0.1", "127.0.0.9", "::1")) {
      assertThat(admit(on(host, Optional.empty()))).isEqualTo(new Identity("loopback", true));
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
    assertThat(admit(access, "Bearer longer")).isEqualTo(new Identity("bob", false));

    write(file, "bob read");
    access.refresh();
    assertThat(access.isStale()).isTrue();
    assertThat(admit(access, "Bearer longer")).isEqualTo(new Identity("bob", false));

    write(file, line("ci", "read", "c1"));
    access.refresh();
    assertThat(access.isStale()).isFalse();
    assertThat(admit(access, "Bearer c1")).isEqualTo(CI);
  }

  @Test
  void reload_withoutTokens_closesAllButLoopback() throws IOException {
    AdminAccess access = on("0.0.0.0", tokens());
    access.use(Optional.empty());
    access.refresh();
    assertThat(admit(access, "Bearer a1")).isEqualTo(Denial.NO_TOKENS);
  }
}
