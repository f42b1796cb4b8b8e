package dev.waymark.e2e;

import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An echo upstream that a request with the word "poison" ends like a crash, and that soon comes
 * back. It runs in the test's process, because a new process would take a second to start.
 * Thread-safe.
 */
final class MortalUpstream implements AutoCloseable {
  private static final long BACK_MS = 300;

  /** The upstream from one start to the next crash. */
  private final class Life {
    private final AtomicBoolean isOver = new AtomicBoolean();
    private final Server server;

    Life(int port) throws IOException {
      Upstream upstream = Upstream.builder(Echo::new).build();
      server =
          NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
              .directExecutor()
              .addService(upstream.service())
              .build()
              .start();
    }

    /** Crashes: requests in progress are never answered. */
    void end() {
      if (isOver.compareAndSet(false, true)) {
        deaths.incrementAndGet();
        timer.execute(server::shutdownNow);
        timer.schedule(MortalUpstream.this::live, BACK_MS, TimeUnit.MILLISECONDS);
      }
    }

    private final class Echo implements ConnectionHandler {
      private final UpstreamConnection connection;

      Echo(UpstreamConnection connection) {
        this.connection = connection;
      }

      @Override
      public void onData(ByteBuf data, long endOffset) {
        if (data.toString(StandardCharsets.US_ASCII).contains("poison")) {
          end();
        }
        if (!isOver.get()) {
          connection.commit(data.retain(), endOffset);
        }
      }

      @Override
      public void onHalfClose() {
        connection.halfClose();
      }
    }
  }

  private final AtomicInteger deaths = new AtomicInteger();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final int port;
  private volatile Life life;

  MortalUpstream() throws IOException {
    life = new Life(0);
    port = life.server.getPort();
  }

  private void live() {
    try {
      life = new Life(port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  int deaths() {
    return deaths.get();
  }

  @Override
  public void close() {
    timer.shutdownNow();
    life.server.shutdownNow();
  }
}
