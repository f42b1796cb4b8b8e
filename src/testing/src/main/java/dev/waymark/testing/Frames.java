package dev.waymark.testing;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2FrameTypes;

/** Builds HTTP/2 frames byte by byte, including ones that no codec writes. */
public final class Frames {
  public static final byte NO_FLAGS = 0;
  public static final byte ACK = 0x1;
  public static final byte END_STREAM = 0x1;
  public static final byte END_HEADERS = 0x4;
  public static final byte PADDED = 0x8;

  private Frames() {}

  public static ByteBuf frame(int type, int flags, int stream, byte[] payload) {
    return Unpooled.buffer()
        .writeMedium(payload.length)
        .writeByte(type)
        .writeByte(flags)
        .writeInt(stream)
        .writeBytes(payload);
  }

  public static ByteBuf frame(int type, int payloadBytes) {
    return frame(type, NO_FLAGS, 0, new byte[payloadBytes]);
  }

  public static ByteBuf ping() {
    return frame(Http2FrameTypes.PING, 8);
  }

  public static ByteBuf settingsAck() {
    return frame(Http2FrameTypes.SETTINGS, ACK, 0, new byte[0]);
  }

  public static ByteBuf data(int bytes) {
    return frame(Http2FrameTypes.DATA, NO_FLAGS, 1, new byte[bytes]);
  }

  /** The same bytes repeated {@code count} times. */
  public static ByteBuf times(int count, ByteBuf frame) {
    ByteBuf all = Unpooled.buffer(count * frame.readableBytes());
    for (int i = 0; i < count; i++) {
      all.writeBytes(frame, frame.readerIndex(), frame.readableBytes());
    }
    return all;
  }
}
