package dev.waymark.net.lane;

import dev.waymark.testing.Frames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2Headers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Frames as an upstream may send them, valid or not. */
final class RawFrames {
  /** The stream of the call: Netty keeps 1 for an upgrade from HTTP/1.1. */
  static final int STREAM = 3;

  static final int MAX_CONCURRENT_STREAMS = 3;
  static final int INITIAL_WINDOW_SIZE = 4;
  static final int MAX_FRAME_SIZE = 5;

  /** What a header counts beyond its name and value (RFC 9113, section 6.5.2). */
  private static final int HEADER_OVERHEAD_BYTES = 32;

  private RawFrames() {}

  static byte[] frame(int type, int flags, int stream, byte... payload) {
    return ByteBufUtil.getBytes(Frames.frame(type, flags, stream, payload));
  }

  static byte[] data(int stream, String text) {
    return frame(Http2FrameTypes.DATA, 0, stream, ascii(text));
  }

  static byte[] dataAndEnd(int stream, String text) {
    return frame(Http2FrameTypes.DATA, Frames.END_STREAM, stream, ascii(text));
  }

  static byte[] data(int stream, int bytes) {
    return frame(Http2FrameTypes.DATA, 0, stream, new byte[bytes]);
  }

  /** HEADERS that go on. */
  static byte[] headers(int stream, String... namesAndValues) {
    return frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS, stream, block(namesAndValues));
  }

  /** HEADERS that end the stream. */
  static byte[] trailers(int stream, String... namesAndValues) {
    return frame(
        Http2FrameTypes.HEADERS,
        Frames.END_HEADERS | Frames.END_STREAM,
        stream,
        block(namesAndValues));
  }

  /** The first headers of every gRPC response. */
  static byte[] response() {
    return headers(STREAM, ":status", "200", "content-type", "application/grpc");
  }

  static byte[] continuation(int flags, int stream, byte... fragment) {
    return frame(Http2FrameTypes.CONTINUATION, flags, stream, fragment);
  }

  static byte[] priority(int stream, int dependency) {
    return frame(
        Http2FrameTypes.PRIORITY,
        0,
        stream,
        bytes(Unpooled.buffer().writeInt(dependency).writeByte(15)));
  }

  static byte[] reset(int stream, long code) {
    return frame(Http2FrameTypes.RST_STREAM, 0, stream, number(code));
  }

  /** Pairs of identifier and value. */
  static byte[] settings(long... entries) {
    ByteBuf payload = Unpooled.buffer();
    for (int i = 0; i < entries.length; i += 2) {
      payload.writeShort((int) entries[i]).writeInt((int) entries[i + 1]);
    }
    return frame(Http2FrameTypes.SETTINGS, 0, 0, bytes(payload));
  }

  static byte[] settingsAck() {
    return frame(Http2FrameTypes.SETTINGS, Frames.ACK, 0);
  }

  static byte[] promise(int stream, int promised) {
    return frame(
        Http2FrameTypes.PUSH_PROMISE,
        Frames.END_HEADERS,
        stream,
        bytes(
            Unpooled.buffer()
                .writeInt(promised)
                .writeBytes(
                    block(":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"))));
  }

  static byte[] ping(int flags, int stream) {
    return frame(Http2FrameTypes.PING, flags, stream, ascii("waymark!"));
  }

  static byte[] goAway(int stream, long lastStream, Http2Error code, String debug) {
    return frame(
        Http2FrameTypes.GO_AWAY,
        0,
        stream,
        bytes(
            Unpooled.buffer()
                .writeInt((int) lastStream)
                .writeInt((int) code.code())
                .writeBytes(ascii(debug))));
  }

  static byte[] windowUpdate(int stream, long bytes) {
    return frame(Http2FrameTypes.WINDOW_UPDATE, 0, stream, number(bytes));
  }

  /** A header block that decodes to the same whatever came before it. */
  static byte[] block(String... namesAndValues) {
    Http2Headers headers = new DefaultHttp2Headers(false);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    ByteBuf block = Unpooled.buffer();
    try {
      new DefaultHttp2HeadersEncoder().encodeHeaders(STREAM, headers, block);
    } catch (Http2Exception impossible) {
      throw new IllegalStateException(impossible);
    }
    return bytes(block);
  }

  static byte[] number(long value) {
    return bytes(Unpooled.buffer().writeInt((int) value));
  }

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  static byte[] bytes(ByteBuf buffer) {
    return ByteBufUtil.getBytes(buffer);
  }

  static byte[] headersOf(String status, String type) {
    return headers(STREAM, ":status", status, "content-type", type);
  }

  static byte[] contentLength(String bytes) {
    return headers(
        STREAM, ":status", "200", "content-type", "application/grpc", "content-length", bytes);
  }

  static byte[] trailersOnly(String... namesAndValues) {
    List<String> all =
        new ArrayList<>(List.of(":status", "200", "content-type", "application/grpc"));
    all.addAll(List.of(namesAndValues));
    return trailers(STREAM, all.toArray(String[]::new));
  }

  /** Trailers whose header list has this size. */
  static byte[] trailersOf(int listBytes) {
    int status = "grpc-status".length() + "0".length() + HEADER_OVERHEAD_BYTES;
    int other = "a".length() + HEADER_OVERHEAD_BYTES;
    return trailers(STREAM, "grpc-status", "0", "a", filler(listBytes - status - other));
  }

  static String filler(int bytes) {
    return "x".repeat(bytes);
  }

  /** A header of 4,000 bytes, and then its index a thousand times. */
  static byte[] bomb() {
    var block = Unpooled.buffer().writeBytes(block("a", filler(4_000)));
    for (int i = 0; i < 1_000; i++) {
      block.writeByte(0x80 | 62);
    }
    return frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS, STREAM, bytes(block));
  }

  /** A block of literals that HPACK does not compress. */
  static byte[] hugeBlock(int bytes) {
    var block = Unpooled.buffer();
    while (block.readableBytes() < bytes) {
      block.writeByte(0).writeByte(1).writeByte('a').writeByte(100).writeZero(100);
    }
    return bytes(block);
  }

  /** HEADERS and CONTINUATION frames, this many in all. */
  static byte[][] parts(byte[] block, int count) {
    byte[][] frames = new byte[count][];
    for (int i = 0; i < count; i++) {
      byte[] part =
          Arrays.copyOfRange(block, block.length * i / count, block.length * (i + 1) / count);
      int flags = i == count - 1 ? Frames.END_HEADERS : 0;
      frames[i] =
          i == 0
              ? frame(Http2FrameTypes.HEADERS, flags, STREAM, part)
              : continuation(flags, STREAM, part);
    }
    return frames;
  }

  static byte[][] emptyParts(int count) {
    return parts(new byte[0], count);
  }

  static byte[] padded(int type, int flags, int padding, byte[] content) {
    var payload = Unpooled.buffer().writeByte(padding).writeBytes(content).writeZero(padding);
    return frame(type, flags | Frames.PADDED, STREAM, bytes(payload));
  }

  static byte[] withPriority(int dependency, byte[] block) {
    var payload = Unpooled.buffer().writeBytes(number(dependency)).writeByte(15).writeBytes(block);
    int priority = 0x20;
    return frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS | priority, STREAM, bytes(payload));
  }
}
