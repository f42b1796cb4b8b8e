package dev.waymark.tools.egress;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Tests by a connect, and a TLS handshake if there is TLS, every so often and when asked, whether
 * the server is there. One failure is enough to report it as gone, one success to report it as
 * back. Confined to its event loop, except for {@link #probeNow} and {@link #start}.
 */
final class ServerProbe {
  /** Learns what the probes find. Called on the probe's event loop. */
  interface Listener {
    /**
     * The server is there, or not; called after each probe.
     *
     * @param cause why not; null if it is there
     */
    void onServer(@Nullable Throwable cause);
  }

  private final ServerDialer dialer;
  private final EventLoop loop;
  private final EgressOptions options;
  private final EgressCounters counters;
  private final Listener listener;

  private boolean isUnderWay;
  private boolean isAskedAgain;

  ServerProbe(
      ServerDialer dialer,
      EventLoop loop,
      EgressOptions options,
      EgressCounters counters,
      Listener listener) {
    this.dialer = dialer;
    this.loop = loop;
    this.options = options;
    this.counters = counters;
    this.listener = listener;
  }

  /** Probes now, and then every so often. */
  void start() {
    probeNow();
    long everyMs = options.probeInterval().toMillis();
    var _ = loop.scheduleWithFixedDelay(this::probe, everyMs, everyMs, TimeUnit.MILLISECONDS);
  }

  /** Probes now, or once the probe under way is over; unless probes are off. */
  void probeNow() {
    if (options.probeInterval().isZero()) {
      return;
    }
    loop.execute(() -> {
      isAskedAgain = isUnderWay;
      probe();
    });
  }

  private void probe() {
    if (isUnderWay) {
      return;
    }
    isUnderWay = true;
    ByteBuf header = options.sendsProxyHeader() ? ProxyHeaderWriter.local() : null;
    ChannelFuture dialling = dialer.dial(loop, new Quiet(), header);
    dialling.addListener(_ -> onDialled(dialling));
  }

  /** What goes wrong is told by the dial's future. */
  private static final class Quiet extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  private void onDialled(ChannelFuture dialling) {
    isUnderWay = false;
    Throwable cause = dialling.cause();
    ServerDialer.finish(dialling.channel());
    if (cause != null) {
      counters.probeFailures.increment();
    }
    listener.onServer(cause);
    if (isAskedAgain) {
      isAskedAgain = false;
      probe();
    }
  }
}
