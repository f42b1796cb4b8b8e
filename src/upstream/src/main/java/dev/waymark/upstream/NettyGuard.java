package dev.waymark.upstream;

import dev.waymark.protocol.http2.ServerGuard;
import io.grpc.netty.NettyServerBuilder;
import io.netty.util.concurrent.Ticker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits what a bridge, or whoever else connects, can do to a gRPC server on grpc-netty: the one
 * class here that needs that transport. Stateless.
 */
public final class NettyGuard {
  /**
   * Calls under way on one connection of a guarded server. A bridge has one for each lane, with a
   * connection of its own.
   */
  private static final int CALLS_PER_CONNECTION_MAX = 1_000;

  private static final Logger log = LoggerFactory.getLogger(NettyGuard.class);

  private NettyGuard() {}

  /**
   * A connection that floods the server with control frames, or does not read the answers to them,
   * is closed with GOAWAY (ENHANCE_YOUR_CALM) and one line in the log, and has at most 1,000 calls
   * under way. Other services of the same server are not affected as long as they are used within
   * these limits.
   *
   * <p>For servers without TLS: it takes the place of their protocol negotiator.
   *
   * @return the same builder
   */
  public static NettyServerBuilder guard(NettyServerBuilder server) {
    ServerGuard.install(server, new FloodLog(log, Ticker.systemTicker()));
    return server.maxConcurrentCallsPerConnection(CALLS_PER_CONNECTION_MAX);
  }
}
