package dev.waymark.bridge;

import dev.waymark.config.ListenerConfig;
import java.io.IOException;
import java.net.InetSocketAddress;

/** Something that the machine refused at start; the message is for the user. */
public final class StartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StartException(String message) {
    super(message);
  }

  static StartException listener(ListenerConfig listener, IOException failure) {
    return port(
        "listener " + listener.name() + " (listeners[].address, --listen)",
        listener.address(),
        String.valueOf(failure.getMessage()));
  }

  /**
   * A port that cannot be opened.
   *
   * @param what the thing and the flag that sets its address
   */
  public static StartException port(String what, InetSocketAddress address, String why) {
    String place = address.getHostString() + ":" + address.getPort();
    return new StartException(
        "port "
            + address.getPort()
            + " cannot be opened for "
            + what
            + " at "
            + place
            + ": "
            + why
            + "; end what holds it, or choose another address");
  }
}
