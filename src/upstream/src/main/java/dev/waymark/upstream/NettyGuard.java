package dev.waymark.upstream;

import dev.waymark.protocol.http2.ServerGuard;
import io.grpc.netty.NettyServerBuilder;
import io.netty.util.concurrent.Ticker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits what a bridge, or anybody else who connects, can do to a gRPC server on grpc-netty: the
 * one class here that needs that transport, which the SDK does not bring along. Stateless.
 */
public final class NettyGuard {
  /** Concurrent calls per connection. A bridge makes one: each lane has its own connection. */
  private static final int CALLS_PER_CONNECTION_MAX = 1_000;

  private static final Logger log = LoggerFactory.getLogger(NettyGuard.class);

  private NettyGuard() {}

  /**
   * Closes connections that flood the server with control frames, or do not read the answers to
   * them, with GOAWAY (ENHANCE_YOUR_CALM) and one line in the log; allows 1,000 concurrent calls
   * per connection. The limits hold for all services of the server.
   *
   * <p>Only for servers without TLS: it replaces their protocol negotiator.
   *
   * @return the same builder
   */
  public static NettyServerBuilder guard(NettyServerBuilder server) {
    ServerGuard.install(server, new FloodLog(log, Ticker.systemTicker()));
    return server.maxConcurrentCallsPerConnection(CALLS_PER_CONNECTION_MAX);
  }
}
