package dev.waymark.net.listener;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.util.ByteProcessor;

/**
 * Cuts the stream of one client into messages without changing or copying a byte. Confined to the
 * connection's event loop; unusable after an exception.
 */
abstract sealed class Framer {
  private static final int DELIMITER_BYTES_MAX = 16;

  private Framer() {}

  /**
   * Creates a framer for one connection.
   *
   * @param frameBytesMax the longest message, including its prefix or delimiter
   */
  static Framer of(Framing framing, int frameBytesMax) {
    Check.that(frameBytesMax > 0, "frame-max is positive");
    return switch (framing) {
      case Framing.Raw() -> new RawFramer();
      case Framing.Line() -> new ByteFramer((byte) '\n', frameBytesMax);
      case Framing.Delimiter(byte[] delimiter) -> ofDelimiter(delimiter, frameBytesMax);
      case Framing.Fixed(int bytes) -> new FixedFramer(bytes, frameBytesMax);
      case Framing.LengthPrefixed prefix -> new LengthFramer(prefix, frameBytesMax);
      case Framing.Varint() -> new VarintFramer(frameBytesMax);
    };
  }

  private static Framer ofDelimiter(byte[] delimiter, int frameBytesMax) {
    Check.that(
        delimiter.length > 0 && delimiter.length <= DELIMITER_BYTES_MAX,
        "a delimiter has 1 to 16 bytes");
    return delimiter.length == 1
        ? new ByteFramer(delimiter[0], frameBytesMax)
        : new DelimiterFramer(delimiter, frameBytesMax);
  }

  /**
   * Returns the length of the message that starts at the reader index, including its prefix or
   * delimiter; -1 while it is incomplete. Before the next call, the caller must skip exactly this
   * length; after -1, it must pass the same bytes followed by more.
   *
   * @param in borrowed; its indices do not change
   * @throws FramingException as soon as the message is known to be too long or invalid
   */
  abstract int next(ByteBuf in) throws FramingException;

  /** No messages: all readable bytes may pass. */
  private static final class RawFramer extends Framer {
    @Override
    int next(ByteBuf in) {
      return in.isReadable() ? in.readableBytes() : -1;
    }
  }

  private static final class FixedFramer extends Framer {
    private final int bytes;

    FixedFramer(int bytes, int frameBytesMax) {
      Check.that(bytes > 0 && bytes <= frameBytesMax, "a fixed message fits frame-max");
      this.bytes = bytes;
    }

    @Override
    int next(ByteBuf in) {
      return in.readableBytes() >= bytes ? bytes : -1;
    }
  }

  /** Messages that end with one particular byte. */
  private static final class ByteFramer extends Framer {
    private final byte last;
    private final int frameBytesMax;

    /** The number of bytes of the current message that have been searched. */
    private int scannedBytes;

    ByteFramer(byte last, int frameBytesMax) {
      this.last = last;
      this.frameBytesMax = frameBytesMax;
    }

    @Override
    int next(ByteBuf in) throws FramingException {
      int start = in.readerIndex();
      int limitBytes = Math.min(in.readableBytes(), frameBytesMax);
      int found = in.indexOf(start + scannedBytes, start + limitBytes, last);
      if (found >= 0) {
        scannedBytes = 0;
        return found + 1 - start;
      }
      scannedBytes = limitBytes;
      if (scannedBytes == frameBytesMax) {
        throw FramingException.TOO_LONG;
      }
      return -1;
    }
  }

  /**
   * Uses Knuth-Morris-Pratt: looks at every byte once, whatever the chunks and however the
   * delimiter overlaps itself.
   */
  private static final class DelimiterFramer extends Framer implements ByteProcessor {
    private final byte[] delimiter;

    /** By number of matched bytes, less one: how many still match if the next byte differs. */
    private final int[] fallback;

    private final int frameBytesMax;
    private int scannedBytes;
    private int matchedBytes;

    DelimiterFramer(byte[] delimiter, int frameBytesMax) {
      this.delimiter = delimiter.clone();
      this.frameBytesMax = frameBytesMax;
      this.fallback = new int[delimiter.length];
      for (int i = 1, matched = 0; i < delimiter.length; i++) {
        while (matched > 0 && delimiter[i] != delimiter[matched]) {
          matched = fallback[matched - 1];
        }
        matched += delimiter[i] == delimiter[matched] ? 1 : 0;
        fallback[i] = matched;
      }
    }

    @Override
    int next(ByteBuf in) throws FramingException {
      int start = in.readerIndex();
      int limitBytes = Math.min(in.readableBytes(), frameBytesMax);
      int found = in.forEachByte(start + scannedBytes, limitBytes - scannedBytes, this);
      if (found >= 0) {
        scannedBytes = 0;
        matchedBytes = 0;
        return found + 1 - start;
      }
      scannedBytes = limitBytes;
      if (scannedBytes == frameBytesMax) {
        throw FramingException.TOO_LONG;
      }
      return -1;
    }

    /** Returns false, which ends the scan, at the delimiter's last byte. */
    @Override
    public boolean process(byte value) {
      while (matchedBytes > 0 && value != delimiter[matchedBytes]) {
        matchedBytes = fallback[matchedBytes - 1];
      }
      matchedBytes += value == delimiter[matchedBytes] ? 1 : 0;
      return matchedBytes < delimiter.length;
    }
  }

  private static final class LengthFramer extends Framer {
    private final Framing.LengthPrefixed prefix;
    private final int headerBytes;

    /** The largest field value of a message within frame-max; negative if there is none. */
    private final long valueMax;

    LengthFramer(Framing.LengthPrefixed prefix, int frameBytesMax) {
      Check.that(
          switch (prefix.lengthBytes()) {
            case 1, 2, 3, 4, 8 -> true;
            default -> false;
          },
          "a length field has 1, 2, 3, 4 or 8 bytes");
      Check.that(prefix.lengthOffset() >= 0, "a length field's offset is not negative");
      long header = (long) prefix.lengthOffset() + prefix.lengthBytes();
      Check.that(header <= frameBytesMax, "a length field lies within frame-max");
      this.prefix = prefix;
      this.headerBytes = (int) header;
      this.valueMax = frameBytesMax - header - prefix.lengthAdjustment();
    }

    @Override
    int next(ByteBuf in) throws FramingException {
      if (in.readableBytes() < headerBytes) {
        return -1;
      }
      long value = value(in, in.readerIndex() + prefix.lengthOffset());
      if (value < 0 || value > valueMax) { // negative: an unsigned field of 2^63 or more
        throw FramingException.TOO_LONG;
      }
      long bodyBytes = value + prefix.lengthAdjustment();
      if (bodyBytes < 0) {
        throw FramingException.INVALID;
      }
      int bytes = headerBytes + (int) bodyBytes;
      return in.readableBytes() >= bytes ? bytes : -1;
    }

    private long value(ByteBuf in, int at) {
      long value = 0;
      for (int i = 0; i < prefix.lengthBytes(); i++) {
        int place = prefix.littleEndian() ? prefix.lengthBytes() - 1 - i : i;
        value = value << Byte.SIZE | in.getUnsignedByte(at + place);
      }
      return value;
    }
  }

  private static final class VarintFramer extends Framer {
    private static final int VARINT_BYTES_MAX = 5;
    private static final int BITS = 7;
    private static final int VALUE_MASK = 0x7f;
    private static final int MORE = 0x80;

    private final int frameBytesMax;

    VarintFramer(int frameBytesMax) {
      this.frameBytesMax = frameBytesMax;
    }

    @Override
    int next(ByteBuf in) throws FramingException {
      long value = 0;
      int readableBytes = Math.min(in.readableBytes(), VARINT_BYTES_MAX);
      for (int i = 0; i < readableBytes; i++) {
        int next = in.getUnsignedByte(in.readerIndex() + i);
        value |= (long) (next & VALUE_MASK) << (BITS * i);
        long bytes = i + 1 + value;
        if (bytes > frameBytesMax) { // further bytes only add to it
          throw FramingException.TOO_LONG;
        }
        if ((next & MORE) == 0) {
          return in.readableBytes() >= bytes ? (int) bytes : -1;
        }
      }
      if (readableBytes == VARINT_BYTES_MAX) {
        throw FramingException.INVALID;
      }
      return -1;
    }
  }
}
