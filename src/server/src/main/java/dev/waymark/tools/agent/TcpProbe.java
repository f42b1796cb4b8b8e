package dev.waymark.tools.agent;

import dev.waymark.net.dial.ConnectFailures;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.DialAddresses;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code tcp}: whether the service accepts a connection, which is closed at once. */
final class TcpProbe implements Probe {
  private static final Verdict SELF_CONNECTED =
      Verdict.failed(
          "connection refused: nothing is listening there; the socket connected to itself");

  private final ControlLoop control;
  private final String address;
  private final int timeoutMs;
  private final DialAddresses addresses;

  /** Late answers to former tests are ignored. */
  private long tests;

  private @Nullable Channel connecting;

  TcpProbe(ControlLoop control, String address, int timeoutMs, DialAddresses addresses) {
    this.control = control;
    this.address = address;
    this.timeoutMs = timeoutMs;
    this.addresses = addresses;
    addresses.add(address);
  }

  @Override
  public void start(Consumer<Verdict> onVerdict) {
    long test = ++tests;
    addresses.find(
        address,
        found -> {
          if (test == tests) {
            connect(test, found, onVerdict);
          }
        },
        problem -> answer(test, failed(problem), onVerdict));
  }

  private static Verdict failed(UpstreamProblem problem) {
    return Verdict.failed(problem.text());
  }

  private void connect(long test, SocketAddress to, Consumer<Verdict> onVerdict) {
    ChannelFuture future =
        new Bootstrap()
            .group(control.eventLoop())
            .channel(
                to instanceof InetSocketAddress
                    ? control.socketChannelType()
                    : control.domainChannelType())
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMs)
            .handler(new ChannelInboundHandlerAdapter())
            .connect(to);
    connecting = future.channel();
    future.addListener(done -> {
      Channel channel = future.channel();
      Verdict verdict = verdict(to, channel, done.cause());
      channel.close();
      answer(test, verdict, onVerdict);
    });
  }

  private static Verdict verdict(SocketAddress to, Channel channel, @Nullable Throwable failure) {
    if (failure != null) {
      return failed(ConnectFailures.problemOf(to, failure));
    }
    // A socket on the port that it dials, with nobody else there.
    boolean isSelf = to instanceof InetSocketAddress && to.equals(channel.localAddress());
    return isSelf ? SELF_CONNECTED : Verdict.PASSED;
  }

  private void answer(long test, Verdict verdict, Consumer<Verdict> onVerdict) {
    if (test == tests) {
      connecting = null;
      onVerdict.accept(verdict);
    }
  }

  @Override
  public String giveUp() {
    tests++;
    if (connecting != null) {
      connecting.close();
      connecting = null;
    }
    return "";
  }

  @Override
  public void close() {
    giveUp();
    addresses.close();
  }
}
