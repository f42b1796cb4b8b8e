package dev.waymark.tools.directory.xds;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** An ADS server on one loop, as in a directory, over a catalog that the test fills. */
public final class TestAdsServer implements AutoCloseable {
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final FakeCatalog catalog = new FakeCatalog();
  private final AdsService service;
  private final Server server;
  public final RecordedAdsEvents events = new RecordedAdsEvents();

  /**
   * @param port 0: any
   * @param isWhole whether the catalog has all there is from the start
   */
  public TestAdsServer(int port, boolean isWhole, AdsLimits limits) {
    service = ask(() -> new AdsService(catalog, loop, System::nanoTime, limits, events));
    if (isWhole) {
      onWhole();
    }
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
            .bossEventLoopGroup(group)
            .workerEventLoopGroup(group)
            .channelType(NioServerSocketChannel.class)
            .directExecutor()
            .addService(service.definition())
            .build();
    try {
      server.start();
    } catch (IOException inUse) {
      throw new UncheckedIOException(inUse);
    }
  }

  public TestAdsServer() {
    this(0, true, AdsLimits.DEFAULT);
  }

  public int port() {
    return server.getPort();
  }

  public String address() {
    return "127.0.0.1:" + port();
  }

  /** Changes the catalog, and tells of it. */
  public void change(Consumer<FakeCatalog> change) {
    ask(() -> {
      change.accept(catalog);
      catalog.tell();
      return true;
    });
  }

  public void onWhole() {
    ask(() -> {
      service.onWhole();
      return true;
    });
  }

  /** Ends all streams, and no connection. */
  public void stop() {
    ask(() -> {
      service.close();
      return true;
    });
  }

  public List<StreamStatus> streams() {
    return ask(service::streams);
  }

  private <T> T ask(Callable<T> question) {
    return loop.submit(question).syncUninterruptibly().getNow();
  }

  @Override
  public void close() {
    server.shutdownNow();
    group.shutdownGracefully(0, 5_000, TimeUnit.MILLISECONDS).syncUninterruptibly();
  }
}
