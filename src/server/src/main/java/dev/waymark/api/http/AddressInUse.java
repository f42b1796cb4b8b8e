package dev.waymark.api.http;

import java.net.InetSocketAddress;
import java.util.Locale;

/** Thrown if the admin port cannot be opened. The message is meant for the user. */
public final class AddressInUse extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final String why;

  AddressInUse(InetSocketAddress address, String why) {
    super(
        String.format(
            Locale.ROOT,
            "admin address %s:%d cannot be opened: %s; choose another with --admin or admin.address",
            address.getHostString(),
            address.getPort(),
            why));
    this.why = why;
  }

  /** The reason alone, such as {@code Address already in use}. */
  public String why() {
    return why;
  }
}
