package dev.waymark.upstream;

import dev.waymark.protocol.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

/** Takes lengths and delimiters off messages and puts them back. Stateless. */
final class MessageFraming {
  private static final byte[] NEW_LINE = {'\n'};
  private static final int VARINT_BYTES_MAX = 5;

  private MessageFraming() {}

  /** See {@link Connection#unframed}. */
  static ByteBuf strip(Framing framing, ByteBuf message) {
    return switch (framing) {
      case Framing.Raw _, Framing.Fixed _ -> message;
      case Framing.Line _ -> stripDelimiter(message, NEW_LINE);
      case Framing.Delimiter(byte[] delimiter) -> stripDelimiter(message, delimiter);
      case Framing.LengthPrefixed prefixed ->
          stripLength(message, prefixed.lengthOffset(), prefixed.lengthBytes());
      case Framing.Varint _ -> stripLength(message, 0, varintBytes(message));
    };
  }

  /** See {@link Connection#framed}. */
  static ByteBuf putBack(Framing framing, ByteBuf owned) {
    if (framing instanceof Framing.Raw) {
      return owned;
    }
    try {
      return switch (framing) {
        case Framing.Raw _ -> owned.retain();
        case Framing.Fixed(int bytes) -> fixed(owned, bytes);
        case Framing.Line _ -> copy(owned, NEW_LINE.length).writeBytes(owned).writeBytes(NEW_LINE);
        case Framing.Delimiter(byte[] delimiter) ->
            copy(owned, delimiter.length).writeBytes(owned).writeBytes(delimiter);
        case Framing.LengthPrefixed prefixed -> putLength(owned, prefixed);
        case Framing.Varint _ -> putVarint(owned);
      };
    } finally {
      owned.release();
    }
  }

  private static ByteBuf stripDelimiter(ByteBuf message, byte[] delimiter) {
    int payloadBytes = message.readableBytes() - delimiter.length;
    boolean isDelimited =
        payloadBytes >= 0
            && ByteBufUtil.equals(
                message,
                message.readerIndex() + payloadBytes,
                Unpooled.wrappedBuffer(delimiter),
                0,
                delimiter.length);
    // The last message before FIN may be without.
    return isDelimited ? message.slice(message.readerIndex(), payloadBytes) : message;
  }

  private static ByteBuf stripLength(ByteBuf message, int lengthOffset, int lengthBytes) {
    int rest = message.readableBytes() - lengthOffset - lengthBytes;
    if (rest < 0) {
      throw new IllegalArgumentException(
          "a message of " + message.readableBytes() + " bytes is too short for its length field");
    }
    int start = message.readerIndex();
    if (lengthOffset == 0) {
      return message.slice(start + lengthBytes, rest);
    }
    return Unpooled.buffer(lengthOffset + rest)
        .writeBytes(message, start, lengthOffset)
        .writeBytes(message, start + lengthOffset + lengthBytes, rest);
  }

  private static int varintBytes(ByteBuf message) {
    for (int i = 0; i < Math.min(VARINT_BYTES_MAX, message.readableBytes()); i++) {
      if (message.getByte(message.readerIndex() + i) >= 0) {
        return i + 1;
      }
    }
    throw new IllegalArgumentException("a message without the varint that starts it");
  }

  private static ByteBuf fixed(ByteBuf payload, int bytes) {
    if (payload.readableBytes() != bytes) {
      throw new IllegalArgumentException(
          "messages of this listener have " + bytes + " bytes, not " + payload.readableBytes());
    }
    return payload.retain();
  }

  private static ByteBuf putLength(ByteBuf payload, Framing.LengthPrefixed prefixed) {
    int head = prefixed.lengthOffset();
    long value = (long) payload.readableBytes() - head - prefixed.lengthAdjustment();
    boolean fits =
        prefixed.lengthBytes() == Long.BYTES || value < 1L << (8 * prefixed.lengthBytes());
    if (payload.readableBytes() < head || value < 0 || !fits) {
      throw new IllegalArgumentException(
          "a payload of "
              + payload.readableBytes()
              + " bytes does not fit a length field of "
              + prefixed.lengthBytes()
              + " bytes");
    }
    ByteBuf message = copy(payload, prefixed.lengthBytes()).writeBytes(payload, head);
    for (int i = 0; i < prefixed.lengthBytes(); i++) {
      int place = prefixed.littleEndian() ? i : prefixed.lengthBytes() - 1 - i;
      message.writeByte((int) (value >>> (8 * place)));
    }
    return message.writeBytes(payload);
  }

  private static ByteBuf putVarint(ByteBuf payload) {
    ByteBuf message = copy(payload, VARINT_BYTES_MAX);
    int rest = payload.readableBytes();
    while (rest > 0x7f) {
      message.writeByte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return message.writeByte(rest).writeBytes(payload);
  }

  private static ByteBuf copy(ByteBuf payload, int extraBytes) {
    return ByteBufAllocator.DEFAULT.buffer(payload.readableBytes() + extraBytes);
  }
}
