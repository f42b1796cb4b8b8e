package dev.waymark.tools.bench;

import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.regex.Pattern;

/** Describes socket errors to the user. Stateless. */
final class SocketErrors {
  /** What Netty's native transports put in front of the system's message. */
  private static final Pattern PREFIX =
      Pattern.compile("^[A-Za-z]+\\(\\.\\.\\) failed with error\\(-?[0-9]+\\): ");

  private SocketErrors() {}

  /** Says why a connection could not be opened, and how to fix that if known. */
  static String connectFailure(InetSocketAddress target, Throwable cause) {
    String reason = reason(cause);
    String lower = reason.toLowerCase(Locale.ROOT);
    return String.format(
        Locale.ROOT,
        "cannot connect to %s:%d: %s%s",
        target.getAddress().getHostAddress(),
        target.getPort(),
        reason,
        remedy(lower));
  }

  /** Says why the TLS handshake failed. */
  static String handshakeFailure(InetSocketAddress target, Throwable cause) {
    return String.format(
        Locale.ROOT,
        "%s:%d: TLS handshake failed: %s",
        target.getAddress().getHostAddress(),
        target.getPort(),
        reason(cause));
  }

  /** The system's message, or the name of the exception if it has none. */
  static String reason(Throwable cause) {
    String message = cause.getMessage();
    return message == null
        ? cause.getClass().getSimpleName()
        : PREFIX.matcher(message).replaceFirst("");
  }

  private static String remedy(String reason) {
    if (reason.contains("assign requested address") || reason.contains("already in use")) {
      return "; no local port is free: use --source 127.0.0.0/8 (on loopback), or several addresses of this machine";
    }
    return reason.contains("too many open files") ? "; raise the limit (ulimit -n)" : "";
  }
}
