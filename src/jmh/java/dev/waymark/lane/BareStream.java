package dev.waymark.lane;

import com.sun.management.OperatingSystemMXBean;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringSocketChannel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What gRPC alone costs: one bare bidirectional stream whose server sends each message back, on
 * loops and options like those of a lane, with both ends in this process, on io_uring. No message
 * between a bridge and its upstream can cost less; a bridge packs a turn's frames into one. Prints
 * a line of JSON for each case.
 */
public final class BareStream {
  private static final long WARM_UP_MS = 5_000;
  private static final long MEASURED_MS = 4_000;
  private static final int WINDOW_BYTES = 16 << 20;
  private static final MethodDescriptor<byte[], byte[]> ECHO =
      MethodDescriptor.newBuilder(new Bytes(), new Bytes())
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName("bare/Echo")
          .build();

  private BareStream() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .directExecutor()
            .flowControlWindow(WINDOW_BYTES)
            .addService(
                ServerServiceDefinition.builder("bare")
                    .addMethod(ECHO, ServerCalls.asyncBidiStreamingCall(BareStream::echo))
                    .build())
            .build()
            .start();
    var loop = new MultiThreadIoEventLoopGroup(1, IoUringIoHandler.newFactory());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
            .usePlaintext()
            .eventLoopGroup(loop)
            .channelType(IoUringSocketChannel.class)
            .directExecutor()
            .offloadExecutor(loop)
            .disableRetry()
            .flowControlWindow(WINDOW_BYTES)
            .build();
    measure(channel, loop.next(), 64, 1);
    measure(channel, loop.next(), 64, 100);
    measure(channel, loop.next(), 16 << 10, 1);
    measure(channel, loop.next(), 16 << 10, 100);
    channel.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
    server.shutdownNow().awaitTermination();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private static StreamObserver<byte[]> echo(StreamObserver<byte[]> replies) {
    return replies;
  }

  private static void measure(ManagedChannel channel, EventLoop loop, int bytes, int underWay)
      throws InterruptedException {
    Asker asker = new Asker(new byte[bytes]);
    StreamObserver<byte[]> requests =
        ClientCalls.asyncBidiStreamingCall(channel.newCall(ECHO, CallOptions.DEFAULT), asker);
    loop.execute(() -> {
      for (int i = 0; i < underWay; i++) {
        requests.onNext(asker.request);
      }
    });
    Thread.sleep(WARM_UP_MS);
    var process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    long replies = asker.replies.get();
    long cpuNs = process.getProcessCpuTime();
    long ns = System.nanoTime();
    Thread.sleep(MEASURED_MS);
    ns = System.nanoTime() - ns;
    cpuNs = process.getProcessCpuTime() - cpuNs;
    replies = asker.replies.get() - replies;
    if (asker.failure != null) {
      throw new IllegalStateException(asker.failure);
    }
    loop.execute(() -> requests.onError(new InterruptedException("measured")));
    System.out.printf(
        Locale.ROOT,
        "{\"bytes\": %d, \"underWay\": %d, \"perSecond\": %d, \"cpuUsPerRequest\": %.1f}%n",
        bytes,
        underWay,
        replies * 1_000_000_000 / ns,
        cpuNs / 1e3 / replies);
  }

  /** Asks again with each reply. Confined to the client's loop, but for what is counted. */
  private static final class Asker implements ClientResponseObserver<byte[], byte[]> {
    final AtomicLong replies = new AtomicLong();
    final byte[] request;
    volatile @Nullable Throwable failure;
    private @Nullable ClientCallStreamObserver<byte[]> requests;

    Asker(byte[] request) {
      this.request = request;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<byte[]> stream) {
      requests = stream;
    }

    @Override
    public void onNext(byte[] reply) {
      replies.incrementAndGet();
      Objects.requireNonNull(requests).onNext(request);
    }

    @Override
    public void onError(Throwable end) {
      failure = end;
    }

    @Override
    public void onCompleted() {}
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] bytes) {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
