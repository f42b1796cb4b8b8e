package dev.waymark.net.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A block of a PEM file (RFC 7468). Immutable.
 *
 * @param label such as CERTIFICATE
 * @param isEncrypted whether a password is needed (RFC 1421, section 4.6.1.1)
 * @param der the content; do not modify the array
 */
record Pem(String label, boolean isEncrypted, byte[] der) {
  /** A revocation list may be large. */
  private static final int FILE_BYTES_MAX = 64 * 1024 * 1024;

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]++)-----([^-]*+)-----END \\1-----");

  /** Headers before the base64 text, and the empty line after them (RFC 1421, section 4.4). */
  private static final Pattern HEADERS = Pattern.compile("^\\s*+(?:[A-Za-z0-9-]++: .*+\\R(?: .*+\\R)*+)++");

  /** The blocks of the file, in order; everything between them is ignored. */
  static List<Pem> read(Path file) throws TlsFileException {
    List<Pem> blocks = new ArrayList<>();
    String text = new String(bytes(file), ISO_8859_1);
    Matcher matcher = BLOCK.matcher(text);
    while (matcher.find()) {
      String body = matcher.group(2);
      Matcher headers = HEADERS.matcher(body);
      boolean hasHeaders = headers.find();
      boolean isEncrypted = hasHeaders && headers.group().contains("ENCRYPTED");
      String base64 = hasHeaders ? body.substring(headers.end()) : body;
      blocks.add(new Pem(matcher.group(1), isEncrypted, decoded(file, base64, matcher.group(1))));
    }
    if (blocks.isEmpty()) {
      throw new TlsFileException(file, "not PEM: it has no -----BEGIN … line; convert it with openssl");
    }
    return blocks;
  }

  private static byte[] decoded(Path file, String base64, String label) throws TlsFileException {
    try {
      return Base64.getDecoder().decode(base64.replaceAll("\\s", ""));
    } catch (IllegalArgumentException bad) {
      throw new TlsFileException(file, "the block " + label + " is not base64; copy the file again");
    }
  }

  private static byte[] bytes(Path file) throws TlsFileException {
    try (InputStream stream = Files.newInputStream(file)) {
      byte[] bytes = stream.readNBytes(FILE_BYTES_MAX + 1);
      if (bytes.length > FILE_BYTES_MAX) {
        throw new TlsFileException(file, "larger than 64 MiB");
      }
      return bytes;
    } catch (NoSuchFileException missing) {
      throw new TlsFileException(file, "no such file");
    } catch (AccessDeniedException denied) {
      throw new TlsFileException(file, "permission denied: the bridge's user may not read it");
    } catch (IOException failed) {
      String why = Files.isDirectory(file) ? "a directory, not a file" : "cannot be read: " + failed.getMessage();
      throw new TlsFileException(file, why);
    }
  }
}
