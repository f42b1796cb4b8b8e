package dev.waymark.cli.bench;

import io.netty.channel.ConnectTimeoutException;
import java.net.BindException;
import java.net.ConnectException;
import java.util.Locale;

/** What went wrong with a socket, for the user. No state. */
final class Refusals {
  private Refusals() {}

  /** Why a connection could not be opened, with the remedy where there is one. */
  static String told(Throwable cause) {
    String reason = reason(cause);
    String lower = reason.toLowerCase(Locale.ROOT);
    if (lower.contains("assign requested address") || cause instanceof BindException) {
      return "cannot connect: "
          + reason
          + ": no local port is left for this address; use --source 127.0.0.0/8 (on loopback), or several addresses of this machine";
    }
    if (lower.contains("too many open files")) {
      return "cannot connect: " + reason + ": raise the limit of descriptors (ulimit -n)";
    }
    return "cannot connect: " + reason;
  }

  /** Its message, without what Netty puts before it. */
  static String reason(Throwable cause) {
    if (cause instanceof ConnectTimeoutException) {
      return String.valueOf(cause.getMessage());
    }
    Throwable inner =
        cause instanceof ConnectException && cause.getCause() != null ? cause.getCause() : cause;
    String message = inner.getMessage();
    return message == null ? inner.getClass().getSimpleName() : message;
  }
}
