package dev.waymark.bridge;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.net.InetAddress;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A program: many TLS clients that all connect at once. One that is not served in time gives up and
 * tries again within a second. Prints how long it took until all were served.
 */
final class TlsStorm {
  private static final int BATCH = 20;
  private static final int BATCH_INTERVAL_MS = 2;
  private static final int PAUSE_MS = 1_000;

  private final EventLoop loop;
  private final SslContext context;
  private final Bootstrap bootstrap;
  private final int port;
  private final int patienceMs;
  private final CountDownLatch left;
  private final AtomicInteger attempts = new AtomicInteger();
  private final SplittableRandom random = new SplittableRandom(15);

  private TlsStorm(EventLoop loop, int port, int clients, int patienceMs) throws Exception {
    this.loop = loop;
    this.context =
        SslContextBuilder.forClient()
            .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
            .trustManager(InsecureTrustManagerFactory.INSTANCE)
            .build();
    this.bootstrap = new Bootstrap().group(loop).channel(NioSocketChannel.class);
    this.port = port;
    this.patienceMs = patienceMs;
    this.left = new CountDownLatch(clients);
  }

  /**
   * Runs.
   *
   * @param arguments port, clients, how long one waits in ms, how long all may take in ms
   */
  public static void main(String[] arguments) throws Exception {
    int clients = Integer.parseInt(arguments[1]);
    try (var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory())) {
      EventLoop loop = group.next();
      TlsStorm storm =
          new TlsStorm(
              loop, Integer.parseInt(arguments[0]), clients, Integer.parseInt(arguments[2]));
      long startNs = System.nanoTime();
      loop.execute(() -> storm.connect(clients));
      boolean isDone = storm.left.await(Long.parseLong(arguments[3]), TimeUnit.MILLISECONDS);
      long tookMs = (System.nanoTime() - startNs) / 1_000_000;
      System.out.println(
          (isDone ? "all" : "only")
              + " "
              + (clients - storm.left.getCount())
              + " of "
              + clients
              + " served after "
              + tookMs
              + " ms with "
              + storm.attempts
              + " attempts");
      System.exit(isDone ? 0 : 1);
    }
  }

  /** In small batches, so that the loop also serves those that are connected already. */
  private void connect(int clients) {
    int now = Math.min(clients, BATCH);
    for (int i = 0; i < now; i++) {
      attempt();
    }
    if (clients > now) {
      loop.schedule(() -> connect(clients - now), BATCH_INTERVAL_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void attempt() {
    attempts.incrementAndGet();
    Client client = new Client();
    Channel channel =
        bootstrap
            .clone()
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel socket) {
                    var tls = context.newHandler(socket.alloc());
                    tls.setHandshakeTimeoutMillis(0);
                    socket.pipeline().addLast(tls, client);
                  }
                })
            .connect(InetAddress.getLoopbackAddress(), port)
            .channel();
    var timer = loop.schedule(() -> giveUp(client, channel), patienceMs, TimeUnit.MILLISECONDS);
    channel
        .closeFuture()
        .addListener(_ -> {
          timer.cancel(false);
          if (!client.isServed) {
            long afterMs = random.nextLong(PAUSE_MS);
            loop.schedule(() -> attempt(), afterMs, TimeUnit.MILLISECONDS);
          }
        });
  }

  private static void giveUp(Client client, Channel channel) {
    if (!client.isServed) {
      channel.close();
    }
  }

  /** Is served once its byte has come back. */
  private final class Client extends SimpleChannelInboundHandler<ByteBuf> {
    private boolean isServed;

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof SslHandshakeCompletionEvent done && done.isSuccess()) {
        context.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {1}));
      }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf reply) {
      isServed = true;
      left.countDown();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
