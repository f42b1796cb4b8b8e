package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TicketKeysTest {
  @TempDir private Path folder;

  private Path write(String text) throws IOException {
    Path file = folder.resolve("ticket-keys");
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    return file;
  }

  private static String key(int first) {
    byte[] bytes = new byte[48];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (first + i);
    }
    return Base64.getEncoder().encodeToString(bytes);
  }

  @Test
  void keys_areReadInOrder() throws Exception {
    OpenSslSessionTicketKey[] keys =
        TicketKeys.read(write(key(0) + "\n\n  " + key(100) + "\r\n"), false);
    assertThat(keys).hasSize(2);
    assertThat(keys[0].name()).startsWith(0, 1, 2);
    assertThat(keys[0].hmacKey()).startsWith(16, 17, 18);
    assertThat(keys[0].aesKey()).startsWith(32, 33, 34);
    assertThat(keys[1].name()).startsWith(100, 101);
  }

  @Test
  void file_thatIsNotRight_isRefused() throws Exception {
    String wrong = "is not 48 bytes as base64; make one with openssl rand -base64 48";
    assertRefused(write(key(0) + "\nhello\n"), "key 2 " + wrong);
    assertRefused(write("AAAA\n"), "key 1 " + wrong);
    assertRefused(write("\n"), "has 0 keys (expected: 1 to 16)");
    assertRefused(write((key(0) + "\n").repeat(17)), "has 17 keys (expected: 1 to 16)");
    assertRefused(folder.resolve("missing"), "no such file; check the path");
    assertRefused(folder, "a directory, not a file");
    Path open = write(key(0));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r--r--"));
    assertRefused(
        open,
        "everybody may read it, and it has a secret; chmod o-r it, or set key-permissions to any");
    assertThat(TicketKeys.read(open, true)).hasSize(1);
  }

  private static void assertRefused(Path file, String problem) {
    assertThatThrownBy(() -> TicketKeys.read(file, false))
        .isInstanceOf(TlsFileException.class)
        .hasMessage(file + ": " + problem);
  }
}
