package dev.waymark.net.lane;

import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoop;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Plain bidirectional gRPC streams without our protocol. Each has its own channel, with a lane's
 * options, to its own port of one server, which is configured like a stub and echoes every message.
 */
final class BareGrpc {
  /** The stub's flow-control window. */
  private static final int WINDOW_BYTES = 4 << 20;

  private static final MethodDescriptor<byte[], byte[]> ECHO =
      MethodDescriptor.newBuilder(new Bytes(), new Bytes())
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName("bare/Echo")
          .build();

  private final EventLoop loop;
  private final Dialler dialler;
  private final Server server;

  /**
   * @param loop an io_uring loop for the streams; the server uses gRPC's own loops
   */
  BareGrpc(EventLoop loop, int ports) throws IOException {
    this.loop = loop;
    this.dialler =
        new Dialler(loop, IoUringSocketChannel.class, IoUringDomainSocketChannel.class, null);
    var anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    NettyServerBuilder builder = NettyServerBuilder.forAddress(anyPort);
    for (int i = 1; i < ports; i++) {
      builder.addListenAddress(anyPort);
    }
    this.server =
        builder
            .directExecutor()
            .flowControlWindow(WINDOW_BYTES)
            .addService(
                ServerServiceDefinition.builder("bare")
                    .addMethod(ECHO, ServerCalls.asyncBidiStreamingCall(replies -> replies))
                    .build())
            .build()
            .start();
  }

  /** Opens streams, at most one per port, with this many messages in flight on each. */
  BareFlow open(int streams, int bytes, int inFlight) {
    Streams flow = new Streams(new byte[bytes]);
    for (SocketAddress address : server.getListenSockets().subList(0, streams)) {
      ManagedChannel channel =
          dialler
              .channel("bare:1", address, null, new Dial())
              .flowControlWindow(WINDOW_BYTES)
              .build();
      flow.channels.add(channel);
      loop.execute(() -> flow.start(channel, inFlight));
    }
    return flow;
  }

  void close() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }

  /** All streams of a flow. Confined to the loop, except for the methods of {@link BareFlow}. */
  private static final class Streams implements BareFlow {
    final EchoCount count = new EchoCount();
    final List<ManagedChannel> channels = new ArrayList<>();
    final byte[] message;

    Streams(byte[] message) {
      this.message = message;
    }

    void start(ManagedChannel channel, int inFlight) {
      StreamObserver<byte[]> requests =
          ClientCalls.asyncBidiStreamingCall(
              channel.newCall(ECHO, CallOptions.DEFAULT), new EchoClient(this));
      for (int i = 0; i < inFlight; i++) {
        requests.onNext(message);
      }
    }

    @Override
    public EchoCount count() {
      return count;
    }

    @Override
    public void close() throws InterruptedException {
      count.end();
      channels.forEach(ManagedChannel::shutdown);
      for (ManagedChannel channel : channels) {
        channel.awaitTermination(1, TimeUnit.SECONDS);
      }
    }
  }

  /** A stream that sends a message for every reply. Confined to the loop. */
  private static final class EchoClient implements ClientResponseObserver<byte[], byte[]> {
    private final Streams flow;
    private @Nullable ClientCallStreamObserver<byte[]> requests;
    private boolean isEnded;

    EchoClient(Streams flow) {
      this.flow = flow;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<byte[]> stream) {
      requests = stream;
    }

    @Override
    public void onNext(byte[] reply) {
      flow.count.onEcho();
      if (!flow.count.isEnding()) {
        Objects.requireNonNull(requests).onNext(flow.message);
      } else if (!isEnded) {
        isEnded = true;
        Objects.requireNonNull(requests).onCompleted();
      }
    }

    @Override
    public void onError(Throwable end) {
      flow.count.onFailure(end);
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
