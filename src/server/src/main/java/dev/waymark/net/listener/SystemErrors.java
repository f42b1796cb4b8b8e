package dev.waymark.net.listener;

import java.util.regex.Pattern;

/** What the operating system says about a failed call, for operators. Stateless. */
public final class SystemErrors {
  /** What Netty's native transports put in front: {@code bind(..) failed with error(-98): }. */
  private static final Pattern CALL =
      Pattern.compile("^\\w+\\(\\.\\.\\) failed(?: with error\\(-?\\d+\\))?: ");

  private SystemErrors() {}

  /** Returns the reason alone, such as {@code Address already in use}. */
  public static String reason(Throwable failure) {
    String message = failure.getMessage();
    return message == null ? failure.toString() : CALL.matcher(message).replaceFirst("");
  }
}
