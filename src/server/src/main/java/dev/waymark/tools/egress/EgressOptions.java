package dev.waymark.tools.egress;

import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.HostPort;
import dev.waymark.config.TlsKeys.MissingCloseNotify;
import dev.waymark.protocol.Check;
import io.netty.handler.ssl.SslContext;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How an egress serves. Immutable.
 *
 * @param server where connections go; a name is resolved for each of them
 * @param connectTimeout how long a connect to the server may take, and then its TLS handshake;
 *     whole milliseconds
 * @param probeInterval how often a connect tests whether the server is there; zero: never, and the
 *     egress counts as healthy
 * @param sendsProxyHeader whether every connection to the server begins with a header of the PROXY
 *     protocol, version 2
 * @param serverTls how TLS is spoken to the server; empty: plain TCP
 * @param missingCloseNotify what a FIN of the server without TLS's close_notify means
 * @param attachTls serves bridges over TLS; null for plain text
 * @param connectionsMax how many connections may be open at once; any more are refused with BUSY
 */
public record EgressOptions(
    HostPort server,
    Duration connectTimeout,
    Duration probeInterval,
    boolean sendsProxyHeader,
    Optional<ClientTlsConfig> serverTls,
    MissingCloseNotify missingCloseNotify,
    @Nullable SslContext attachTls,
    int connectionsMax) {
  /**
   * How many bytes of one connection may be on their way to the server and not accepted by its
   * socket: the window that bridges are asked for.
   */
  static final int WINDOW_BYTES = 256 * 1024;

  public EgressOptions {
    Check.that(connectTimeout.toMillis() > 0, "a connect takes time");
    Check.that(!probeInterval.isNegative(), "an interval is not negative");
    Check.that(connectionsMax > 0, "an egress serves at least one connection");
  }
}
