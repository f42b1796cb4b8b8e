package dev.waymark.bridge;

import dev.waymark.config.ListenerConfig;
import dev.waymark.config.PoolConfig;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * Thrown if the machine refuses something that a start needs, such as a port. The message is meant
 * for the user.
 */
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

  /** A file for TLS cannot be used; the problem names the file and the remedy. */
  static StartException tls(ListenerConfig listener, String problem) {
    return new StartException("listener " + listener.name() + " cannot speak TLS: " + problem);
  }

  /** A file for TLS cannot be used; the problem names the file and the remedy. */
  static StartException tls(PoolConfig pool, String problem) {
    return new StartException("pool " + pool.name() + " cannot speak TLS: " + problem);
  }

  static StartException adminTls(String problem) {
    return new StartException("the admin port cannot speak TLS: " + problem);
  }

  /**
   * Returns the exception for a port that cannot be opened.
   *
   * @param what what the port is for, with the key and flag that set its address
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
            + (why.contains("in use")
                ? "; stop the process that uses it, or choose another address"
                : "; choose another address"));
  }
}
