package dev.waymark.upstream;

import dev.waymark.protocol.http2.ServerGuard;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.Ticker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits what a bridge, or any other client, can do to a gRPC server on grpc-netty. The only class
 * here that needs grpc-netty, which is an optional dependency. Stateless.
 */
public final class NettyGuard {
  /**
   * The maximum of concurrent calls per connection. A bridge makes one: each lane has its own
   * connection.
   */
  private static final int CALLS_PER_CONNECTION_MAX = 1_000;

  private static final Logger log = LoggerFactory.getLogger(NettyGuard.class);

  private NettyGuard() {}

  /**
   * Makes the server close connections that flood it with control frames, or do not read the
   * answers to them, with GOAWAY (ENHANCE_YOUR_CALM), and log that at most once per second. Also
   * limits concurrent calls per connection to 1,000. The limits apply to all services of the
   * server.
   *
   * <p>For servers without TLS; this replaces the protocol negotiator.
   *
   * @return the same builder
   */
  public static NettyServerBuilder guard(NettyServerBuilder server) {
    ServerGuard.install(server, new FloodLog(log, Ticker.systemTicker()));
    return server.maxConcurrentCallsPerConnection(CALLS_PER_CONNECTION_MAX);
  }

  /**
   * As {@link #guard(NettyServerBuilder)}, for a server with TLS.
   *
   * @param tls for gRPC, as {@code GrpcSslContexts} makes it; takes the place of {@code
   *     sslContext}, which must not be set
   * @return the same builder
   */
  public static NettyServerBuilder guard(NettyServerBuilder server, SslContext tls) {
    ServerGuard.install(server, tls, new FloodLog(log, Ticker.systemTicker()));
    return server.maxConcurrentCallsPerConnection(CALLS_PER_CONNECTION_MAX);
  }
}
