package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;

/**
 * Hides empty DATA frames from gRPC. They mean nothing unless they end a stream, but two of them
 * before a message make grpc-java read from an empty buffer, which breaks the call
 * (docs/decisions/0024). Confined to the event loop of its channel.
 */
final class EmptyDataFilter extends Http2FrameListenerDecorator {
  private EmptyDataFilter(Http2FrameListener grpc) {
    super(grpc);
  }

  /**
   * Puts a filter in front of gRPC if its HTTP/2 handler is in the pipeline yet, and returns
   * whether it is.
   */
  static boolean install(ChannelPipeline pipeline) {
    Http2ConnectionHandler handler = pipeline.get(Http2ConnectionHandler.class);
    if (handler == null) {
      return false;
    }
    Http2ConnectionDecoder decoder = handler.decoder();
    decoder.frameListener(new EmptyDataFilter(decoder.frameListener()));
    return true;
  }

  @Override
  public int onDataRead(
      ChannelHandlerContext context, int stream, ByteBuf data, int padding, boolean endOfStream)
      throws Http2Exception {
    return data.isReadable() || endOfStream
        ? super.onDataRead(context, stream, data, padding, endOfStream)
        : padding;
  }
}
