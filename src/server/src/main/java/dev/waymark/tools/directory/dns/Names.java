package dev.waymark.tools.directory.dns;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Names as text and as bytes (RFC 1035, section 3.1). Stateless. */
final class Names {
  /** With the lengths of the labels, and that of the root. */
  static final int BYTES_MAX = 255;

  static final int LABEL_BYTES_MAX = 63;

  /** The two highest bits of the first byte of a pointer; the other 14 are its offset. */
  static final int POINTER = 0xc0;

  /** Stands for every character that no name here has. */
  private static final char OTHER = '?';

  private static final Pattern LEGAL = Pattern.compile("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*");

  /** What each byte of a name is compared as: case does not matter (RFC 4343). */
  private static final byte[] COMPARED = compared();

  private Names() {}

  private static byte[] compared() {
    byte[] compared = new byte[256];
    for (int each = 0; each < compared.length; each++) {
      boolean isLegal = LEGAL.matcher(String.valueOf((char) each)).matches();
      compared[each] = (byte) (isLegal ? lowerCase(each) : OTHER);
    }
    return compared;
  }

  private static int lowerCase(int letter) {
    return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
  }

  /** The form in which names are compared. */
  static String key(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  /**
   * Reads the name of a question, where compression is impossible.
   *
   * @param scratch of {@link #BYTES_MAX} bytes, overwritten
   * @return in the form of {@link #key}, without a dot at the end, with {@value #OTHER} for
   *     characters that no name has; meaningless if the reader is broken afterwards
   */
  static String readKey(WireReader in, byte[] scratch) {
    int length = 0;
    int label;
    while ((label = in.readUnsignedByte()) != 0 && !in.isBroken()) {
      if (length > 0) {
        scratch[length++] = '.';
      }
      // One more for the length of the first label, one for the root.
      if (label > LABEL_BYTES_MAX || length + label + 2 > BYTES_MAX) {
        in.markBroken();
        return "";
      }
      for (int i = 0; i < label; i++) {
        scratch[length++] = COMPARED[in.readUnsignedByte()];
      }
    }
    return new String(scratch, 0, length, ISO_8859_1);
  }

  /** Skips a name, which may end with a pointer (RFC 1035, section 4.1.4). */
  static void skip(WireReader in) {
    int label;
    while ((label = in.readUnsignedByte()) != 0 && !in.isBroken()) {
      if (label >= POINTER) {
        in.skip(1);
        return;
      }
      if (label > LABEL_BYTES_MAX) {
        in.markBroken();
        return;
      }
      in.skip(label);
    }
  }

  /** Whether a name can be asked for. */
  static boolean isLegal(String name) {
    return encode(name) != null;
  }

  /** Returns a name as it is on the wire, up to the root; null if it cannot be. */
  static byte @Nullable [] encode(String name) {
    String text = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    if (text.length() + 2 > BYTES_MAX || !LEGAL.matcher(text).matches()) {
      return null;
    }
    byte[] wire = new byte[text.length() + 2];
    int at = 0;
    for (String label : text.split("\\.", -1)) {
      if (label.length() > LABEL_BYTES_MAX) {
        return null;
      }
      wire[at++] = (byte) label.length();
      byte[] characters = label.getBytes(ISO_8859_1);
      System.arraycopy(characters, 0, wire, at, characters.length);
      at += characters.length;
    }
    return wire;
  }
}
