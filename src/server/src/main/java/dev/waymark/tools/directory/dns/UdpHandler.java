package dev.waymark.tools.directory.dns;

import dev.waymark.net.admission.SourceBuckets;
import dev.waymark.tools.directory.dns.Responder.Via;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;

/** Answers queries over UDP. */
final class UdpHandler extends SimpleChannelInboundHandler<DatagramPacket> {
  private final Responder responder;
  private final Optional<SourceBuckets> limit;
  private final DnsCounters counters;
  private final byte[] packet = new byte[DnsSockets.QUERY_BYTES_MAX];

  UdpHandler(Responder responder, Optional<SourceBuckets> limit, DnsCounters counters) {
    this.responder = responder;
    this.limit = limit;
    this.counters = counters;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, DatagramPacket received) {
    InetSocketAddress sender = received.sender();
    // Nobody listens on port 0: the source is forged. A socket that takes no more loses answers,
    // as UDP may.
    if (sender.getPort() == 0 || !context.channel().isWritable()) {
      counters.ignored.increment();
      return;
    }
    ByteBuf query = received.content();
    int length = Math.min(query.readableBytes(), packet.length);
    query.readBytes(packet, 0, length);
    int answerBytes = responder.answer(packet, length, via(context, sender));
    if (answerBytes > 0) {
      ByteBuf answer = context.alloc().directBuffer(answerBytes, answerBytes);
      answer.writeBytes(responder.answer(), 0, answerBytes);
      context.write(new DatagramPacket(answer, sender), context.voidPromise());
    }
  }

  /** Nobody else can forge the host's own addresses, and its own resolver asks for everybody. */
  private Via via(ChannelHandlerContext context, InetSocketAddress sender) {
    return limit.isEmpty()
            || sender.getAddress().isLoopbackAddress()
            || limit.get().take(sender.getAddress(), context.executor().ticker().nanoTime())
        ? Via.UDP
        : Via.UDP_OVER_RATE;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    context.flush();
  }

  /** An answer that cannot be sent is lost, as UDP may lose it. */
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      counters.ignored.increment();
    } else {
      context.fireExceptionCaught(cause);
    }
  }
}
