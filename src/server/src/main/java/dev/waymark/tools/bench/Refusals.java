package dev.waymark.tools.bench;

import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.regex.Pattern;

/** What went wrong with a socket, for the user. No state. */
final class Refusals {
  /** What Netty's own transports put before the system's words. */
  private static final Pattern PREFIX =
      Pattern.compile("^[A-Za-z]+\\(\\.\\.\\) failed with error\\(-?[0-9]+\\): ");

  private Refusals() {}

  /** Why a connection could not be opened, with the remedy where there is one. */
  static String told(InetSocketAddress target, Throwable cause) {
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

  /** What the system says, or the name of the failure where it says nothing. */
  static String reason(Throwable cause) {
    String message = cause.getMessage();
    return message == null
        ? cause.getClass().getSimpleName()
        : PREFIX.matcher(message).replaceFirst("");
  }

  private static String remedy(String reason) {
    if (reason.contains("assign requested address") || reason.contains("already in use")) {
      return "; no local port is left: use --source 127.0.0.0/8 (on loopback), or addresses that this machine has";
    }
    return reason.contains("too many open files") ? "; raise the limit (ulimit -n)" : "";
  }
}
