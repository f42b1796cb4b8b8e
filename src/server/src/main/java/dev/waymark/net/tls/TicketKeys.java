package dev.waymark.net.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * Reads the keys of session tickets (RFC 5077, section 4) from a file that a fleet shares: on each
 * line one key of 48 bytes, as base64: name, HMAC key and AES key, 16 bytes each. Stateless.
 */
final class TicketKeys {
  private static final int PART_BYTES = 16;
  private static final int KEY_BYTES = 3 * PART_BYTES;
  private static final int KEYS_MAX = 16;
  private static final int FILE_BYTES_MAX = 4_096;

  private TicketKeys() {}

  static OpenSslSessionTicketKey[] read(Path file, boolean mayBeReadByAll) throws TlsFileException {
    String text = new String(FileBytes.read(file, FILE_BYTES_MAX), ISO_8859_1);
    if (!mayBeReadByAll) {
      PrivateKeys.refuseIfReadableByAll(file);
    }
    List<OpenSslSessionTicketKey> keys = new ArrayList<>();
    for (String line : text.split("\\R", -1)) {
      if (!line.isBlank()) {
        keys.add(key(file, keys.size() + 1, line.strip()));
      }
    }
    if (keys.isEmpty() || keys.size() > KEYS_MAX) {
      throw new TlsFileException(
          file, "has " + keys.size() + " keys (expected: 1 to " + KEYS_MAX + ")");
    }
    return keys.toArray(OpenSslSessionTicketKey[]::new);
  }

  private static OpenSslSessionTicketKey key(Path file, int number, String line)
      throws TlsFileException {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(line);
    } catch (IllegalArgumentException bad) {
      bytes = new byte[0];
    }
    if (bytes.length != KEY_BYTES) {
      throw new TlsFileException(
          file,
          "key " + number + " is not 48 bytes as base64; make one with openssl rand -base64 48");
    }
    return new OpenSslSessionTicketKey(
        Arrays.copyOfRange(bytes, 0, PART_BYTES),
        Arrays.copyOfRange(bytes, PART_BYTES, 2 * PART_BYTES),
        Arrays.copyOfRange(bytes, 2 * PART_BYTES, KEY_BYTES));
  }
}
