package dev.waymark.tools.directory.dns;

import dev.waymark.tools.directory.dns.Responder.Via;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.flow.FlowControlHandler;
import java.io.IOException;

/**
 * Answers the queries of one TCP connection in their order (RFC 7766). While the client does not
 * read its answers, no more queries are read.
 */
final class TcpHandler extends SimpleChannelInboundHandler<ByteBuf> {
  /** A longer query ends the connection; those of resolvers have less than 500 bytes. */
  static final int QUERY_BYTES_MAX = 4_096;

  private final Responder responder;
  private final TcpConnections connections;
  private final byte[] query = new byte[QUERY_BYTES_MAX];

  TcpHandler(Responder responder, TcpConnections connections) {
    this.responder = responder;
    this.connections = connections;
  }

  /** Adds it to the pipeline of a connection, behind what cuts the stream into messages. */
  void addTo(ChannelPipeline pipeline) {
    pipeline.addLast(
        new LengthFieldBasedFrameDecoder(
            Short.BYTES + QUERY_BYTES_MAX, 0, Short.BYTES, 0, Short.BYTES),
        new FlowControlHandler(),
        this);
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    connections.onOpen(context.channel(), context.executor().ticker().nanoTime());
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
    connections.onQuery(context.channel(), context.executor().ticker().nanoTime());
    int length = message.readableBytes();
    message.readBytes(query, 0, length);
    int answerBytes = responder.answer(query, length, Via.TCP);
    if (answerBytes == 0) {
      return;
    }
    ByteBuf answer = context.alloc().directBuffer(Short.BYTES + answerBytes);
    answer.writeShort(answerBytes);
    answer.writeBytes(responder.answer(), 0, answerBytes);
    context.write(answer, context.voidPromise());
    if (!context.channel().isWritable()) {
      context.channel().config().setAutoRead(false);
      // The end of the read is not announced while queries of it wait.
      context.flush();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    context.flush();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (context.channel().isWritable()) {
      context.channel().config().setAutoRead(true);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    connections.onClosed(context.channel());
  }

  /** A lost connection, and a query that is too long, end the connection, and no more. */
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException || cause instanceof DecoderException)) {
      context.fireExceptionCaught(cause);
    }
    context.close();
  }
}
