package dev.waymark.upstream;

import dev.waymark.protocol.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

/** Removes lengths and delimiters from messages and adds them again. Stateless. */
final class MessageFraming {
  private static final byte[] NEW_LINE = {'\n'};
  private static final int VARINT_BYTES_MAX = 5;

  private MessageFraming() {}

  /** See {@link UpstreamConnection#unframed(ByteBuf)}. */
  static ByteBuf strip(Framing framing, ByteBuf message) {
    if (framing instanceof Framing.Line) {
      return stripDelimiter(message, NEW_LINE);
    } else if (framing instanceof Framing.Delimiter delimited) {
      return stripDelimiter(message, delimited.delimiter());
    } else if (framing instanceof Framing.LengthPrefixed prefixed) {
      return stripLength(message, prefixed.lengthOffset(), prefixed.lengthBytes());
    } else if (framing instanceof Framing.Varint) {
      return stripLength(message, 0, varintBytes(message));
    }
    return message; // Raw and Fixed add nothing.
  }

  /** See {@link UpstreamConnection#framed(ByteBuf)}. */
  static ByteBuf putBack(Framing framing, ByteBuf owned) {
    try {
      if (framing instanceof Framing.Line) {
        return putDelimiter(owned, NEW_LINE);
      } else if (framing instanceof Framing.Delimiter delimited) {
        return putDelimiter(owned, delimited.delimiter());
      } else if (framing instanceof Framing.Fixed fixed) {
        return fixed(owned, fixed.bytes());
      } else if (framing instanceof Framing.LengthPrefixed prefixed) {
        return putLength(owned, prefixed);
      } else if (framing instanceof Framing.Varint) {
        return putVarint(owned);
      }
      return owned.retain(); // Raw adds nothing.
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
    // The last message before FIN may lack its delimiter.
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
    throw new IllegalArgumentException("a message does not start with a valid varint");
  }

  private static ByteBuf fixed(ByteBuf payload, int bytes) {
    if (payload.readableBytes() != bytes) {
      throw new IllegalArgumentException(
          "messages of this listener must have "
              + bytes
              + " bytes, not "
              + payload.readableBytes());
    }
    return payload.retain();
  }

  private static ByteBuf putDelimiter(ByteBuf payload, byte[] delimiter) {
    return copy(payload, delimiter.length).writeBytes(payload).writeBytes(delimiter);
  }

  private static ByteBuf putLength(ByteBuf payload, Framing.LengthPrefixed prefixed) {
    int prefixBytes = prefixed.lengthOffset();
    long value = (long) payload.readableBytes() - prefixBytes - prefixed.lengthAdjustment();
    boolean fits =
        prefixed.lengthBytes() == Long.BYTES || value < 1L << (8 * prefixed.lengthBytes());
    if (payload.readableBytes() < prefixBytes || value < 0 || !fits) {
      throw new IllegalArgumentException(
          "a payload of "
              + payload.readableBytes()
              + " bytes does not fit a length field of "
              + prefixed.lengthBytes()
              + " bytes");
    }
    ByteBuf message = copy(payload, prefixed.lengthBytes()).writeBytes(payload, prefixBytes);
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
