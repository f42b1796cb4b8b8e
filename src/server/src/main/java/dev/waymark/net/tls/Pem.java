package dev.waymark.net.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

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

  private static final int LABEL_CHARS_MAX = 64;

  private static final String BEGIN = "-----BEGIN ";
  private static final String END = "-----END ";
  private static final String DASHES = "-----";

  /** Headers before the base64 text, and the empty line after them (RFC 1421, section 4.4). */
  private static final Pattern HEADERS =
      Pattern.compile("^\\s*+(?:[A-Za-z0-9-]++: .*+\\R(?: .*+\\R)*+)++");

  /** The blocks of the file, in order; everything between them is ignored. Blocks. */
  static List<Pem> read(Path file) throws TlsFileException {
    String text = new String(FileBytes.read(file, FILE_BYTES_MAX), ISO_8859_1);
    List<Pem> blocks = new ArrayList<>();
    int begin = text.indexOf(BEGIN);
    while (begin >= 0) {
      int labelAt = begin + BEGIN.length();
      int labelEnd = text.indexOf(DASHES, labelAt);
      String label = text.substring(labelAt, Math.max(labelAt, labelEnd));
      int end = text.indexOf(END + label + DASHES, labelAt);
      if (labelEnd < 0 || label.length() > LABEL_CHARS_MAX || end < 0) {
        throw new TlsFileException(file, "a block has no end; copy the file again");
      }
      blocks.add(block(file, label, text.substring(labelEnd + DASHES.length(), end)));
      begin = text.indexOf(BEGIN, end);
    }
    if (blocks.isEmpty()) {
      throw new TlsFileException(
          file, "not PEM: it has no -----BEGIN … line; convert it with openssl");
    }
    return blocks;
  }

  private static Pem block(Path file, String label, String body) throws TlsFileException {
    Matcher headers = HEADERS.matcher(body);
    boolean hasHeaders = headers.find();
    boolean isEncrypted = hasHeaders && headers.group().contains("ENCRYPTED");
    String base64 = hasHeaders ? body.substring(headers.end()) : body;
    // Nothing reads the content of a block that needs a password.
    return new Pem(label, isEncrypted, isEncrypted ? new byte[0] : decoded(file, base64, label));
  }

  private static byte[] decoded(Path file, String base64, String label) throws TlsFileException {
    try {
      return Base64.getDecoder().decode(base64.replaceAll("\\s", ""));
    } catch (IllegalArgumentException bad) {
      throw new TlsFileException(
          file, "the block " + label + " is not base64; copy the file again");
    }
  }
}
