package dev.waymark.net.dial;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Guesses a peer's protocol from its first bytes. Stateless. */
final class FirstBytes {
  /** Enough to recognise HTTP/2: a frame header up to and including its type. */
  static final int BYTES_NEEDED = 4;

  /** The number of bytes inspected. */
  static final int BYTES_MAX = 512;

  private static final int SHOWN_CHARS_MAX = 48;

  /** The content type of a TLS alert (RFC 8446, section 5.1). */
  private static final int TLS_ALERT = 0x15;

  private static final int TLS_MAJOR_VERSION = 3;

  /** The type of the frame that a server must send first (RFC 9113, section 3.4). */
  private static final int SETTINGS_FRAME = 4;

  private static final int FRAME_TYPE_INDEX = 3;

  private FirstBytes() {}

  /**
   * Returns what is wrong with these bytes; null if they are HTTP/2.
   *
   * @param bytes not consumed; {@value #BYTES_NEEDED} of them, or all that the peer sent
   */
  static @Nullable UpstreamProblem problemOf(ByteBuf bytes) {
    int start = bytes.readerIndex();
    int length = Math.min(bytes.readableBytes(), BYTES_MAX);
    if (length >= BYTES_NEEDED
        && bytes.getByte(start) == 0
        && bytes.getByte(start + FRAME_TYPE_INDEX) == SETTINGS_FRAME) {
      return null;
    }
    if (length >= 2
        && bytes.getByte(start) == TLS_ALERT
        && bytes.getByte(start + 1) == TLS_MAJOR_VERSION) {
      return tls("a TLS alert");
    }
    String text = bytes.toString(start, length, ISO_8859_1);
    if (text.startsWith("HTTP/")) {
      return text.contains("HTTPS") || text.contains("SSL")
          ? tls(firstLine(text))
          : problem(Kind.LOOKS_LIKE_HTTP1, "HTTP/1.1", firstLine(text));
    }
    if (text.startsWith("SSH-")) {
      return problem(Kind.LOOKS_LIKE_SSH, "SSH", firstLine(text));
    }
    if (text.startsWith("PRI ")) {
      return problem(
          Kind.NOT_HTTP2, "an echo server, which returns what it receives", firstLine(text));
    }
    return new UpstreamProblem(
        Kind.NOT_HTTP2, "answers, but not HTTP/2: it begins with '" + firstLine(text) + "'");
  }

  private static UpstreamProblem tls(String seen) {
    return problem(Kind.LOOKS_LIKE_TLS, "TLS; the bridge dials in plain text", seen);
  }

  private static UpstreamProblem problem(Kind kind, String protocol, String seen) {
    return new UpstreamProblem(
        kind, "answers, but not HTTP/2: looks like " + protocol + " (" + seen + ")");
  }

  /** Returns the first line, shortened, with dots in place of unprintable characters. */
  private static String firstLine(String text) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < text.length() && line.length() < SHOWN_CHARS_MAX; i++) {
      char c = text.charAt(i);
      if (c == '\r' || c == '\n') {
        break;
      }
      line.append(c >= ' ' && c <= '~' && c != '\'' ? c : '.');
    }
    return line.toString();
  }
}
