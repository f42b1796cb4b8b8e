package dev.waymark.config;

import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.protocol.Framing;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * A port that accepts clients. Immutable.
 *
 * @param frameBytesMax largest message of a framed listener, never above the window
 * @param connectionsMax a client beyond it is closed at once
 * @param backlog connections that wait in the kernel to be accepted
 * @param isNoDelay TCP_NODELAY
 * @param isKeepAlive SO_KEEPALIVE
 * @param userTimeout TCP_USER_TIMEOUT: unacknowledged bytes for this long end the connection; zero:
 *     the kernel's own
 * @param idleTimeout nothing sent either way for this long ends the connection; zero: never
 * @param pushFrom other pools whose upstreams may push to its connections
 * @param age how old connections may become
 */
public record ListenerConfig(
    String name,
    InetSocketAddress address,
    String pool,
    Framing framing,
    int frameBytesMax,
    int connectionsMax,
    int backlog,
    boolean isNoDelay,
    boolean isKeepAlive,
    Duration userTimeout,
    Duration idleTimeout,
    List<String> pushFrom,
    AgeOptions age) {
  public ListenerConfig {
    pushFrom = List.copyOf(pushFrom);
  }
}
