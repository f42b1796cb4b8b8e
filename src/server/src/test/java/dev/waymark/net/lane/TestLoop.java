package dev.waymark.net.lane;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.ConfigException;
import dev.waymark.net.NettyTransport;
import dev.waymark.net.dial.Dialler;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** An event loop as the bridge makes it for a shard, and what dials from it. Thread-safe. */
final class TestLoop implements AutoCloseable {
  private final MultiThreadIoEventLoopGroup group;
  private final Dialler dialler;

  private TestLoop(NettyTransport transport) {
    group = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers());
    dialler =
        new Dialler(
            group.next(),
            transport.clientType(),
            transport.domainType(),
            transport.userTimeoutMs());
  }

  /** Starts a loop; skips the test if this host lacks the transport. */
  static TestLoop start(Transport wanted) {
    try {
      return new TestLoop(NettyTransport.choose(wanted));
    } catch (ConfigException missing) {
      return abort(String.valueOf(missing.getMessage()));
    }
  }

  Dialler dialler() {
    return dialler;
  }

  EventLoop eventLoop() {
    return dialler.loop();
  }

  /** Runs this on the loop and waits for its result. */
  <T> T call(Callable<T> action) throws Exception {
    return eventLoop().submit(action).get(10, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
