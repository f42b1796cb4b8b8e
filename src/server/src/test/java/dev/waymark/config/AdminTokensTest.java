package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.config.AdminTokens.Holder;
import dev.waymark.config.AdminTokens.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AdminTokensTest {
  /** The SHA-256 of "abc" (FIPS 180-2, B.1). */
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  private static final String OTHER = ABC.replace('b', 'c');

  @TempDir private Path folder;

  private Path write(String text) throws IOException {
    Path file = folder.resolve("tokens");
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    return file;
  }

  @Test
  void holder_byToken_isFoundWithItsRole() throws IOException {
    String text =
        "# who\n\nci read  "
            + OTHER
            + "\r\n alice\toperate "
            + ABC.toUpperCase(Locale.ROOT)
            + " \n";
    AdminTokens tokens = AdminTokens.read(write(text), false);
    assertThat(tokens.count()).isEqualTo(2);
    assertThat(tokens.holder("abc")).contains(new Holder("alice", Role.OPERATE));
    assertThat(tokens.holder("abcd")).isEmpty();
    assertThat(tokens.holder(ABC)).as("the hash is not the token").isEmpty();
  }

  @Test
  void file_withAMistake_isRefusedNamingTheLineAndNotItsText() throws IOException {
    Map<String, String> mistakes =
        Map.of(
            "s3cret operate",
            "tokens:1: expected 3 words, NAME ROLE SHA256, not 2",
            "a operate s3cret",
            "tokens:1: the third word is not 64 hexadecimal digits",
            "a s3cret " + ABC,
            "tokens:1: the second word is no role (expected: read or operate)",
            "s3cret! read " + ABC,
            "tokens:1: the first word is no name",
            "a read " + ABC + "\na read " + OTHER,
            "tokens:2: the same name as in line 1",
            "a read " + ABC + "\n\nb read " + ABC,
            "tokens:3: the same hash as in line 1",
            "# nobody\n",
            "tokens: no token (expected: lines NAME ROLE SHA256)",
            "#".repeat(AdminTokens.BYTES_MAX + 1),
            "tokens: larger than 256KiB");
    for (Map.Entry<String, String> mistake : mistakes.entrySet()) {
      Path file = write(mistake.getKey());
      assertThatThrownBy(() -> AdminTokens.read(file, false))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining(mistake.getValue())
          .message()
          .doesNotContain("s3cret");
    }
  }

  @Test
  void file_openToOthers_isRefusedUnlessAllowed() throws IOException {
    Path file = write("a read " + ABC);
    for (String mode : List.of("rw----r--", "rw-----w-")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
      assertThatThrownBy(() -> AdminTokens.read(file, false))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("every user of this host has access (mode " + mode + ")")
          .hasMessageContaining("chmod o= ")
          .hasMessageContaining("admin.tokens-readable-by-others");
      assertThat(AdminTokens.read(file, true).count()).isEqualTo(1);
    }
  }

  @Test
  void file_replaced_isReadAgain() throws IOException {
    Path file = write("a read " + ABC);
    AdminTokens tokens = AdminTokens.read(file, false);
    assertThat(tokens.readIfChanged()).isEmpty();
    Path next = folder.resolve("next");
    Files.writeString(next, "a read " + OTHER);
    Files.setPosixFilePermissions(next, PosixFilePermissions.fromString("rw-------"));
    Files.setLastModifiedTime(next, Files.getLastModifiedTime(file));
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    AdminTokens changed = tokens.readIfChanged().orElseThrow();
    assertThat(changed.holder("abc")).isEmpty();
    Files.delete(file);
    assertThatThrownBy(changed::readIfChanged).hasMessageContaining("tokens: no such file");
  }

  @Test
  void configuration_withAFileThatCannotBeUsed_isRefusedWithItsPlace() throws IOException {
    Path file = write("a read s3cret");
    assertThatThrownBy(() -> Loading.file("admin:\n  tokens: " + file + "\n"))
        .hasMessage(
            "waymark.yml:2:11: admin.tokens: "
                + file
                + ":1: the third word is not 64 hexadecimal digits (expected: the SHA-256 of the"
                + " token, not the token)");
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> Loading.flags(Map.of("--admin-tokens", missing.toString()), Map.of()))
        .hasMessage("--admin-tokens: " + missing + ": no such file");
  }
}
