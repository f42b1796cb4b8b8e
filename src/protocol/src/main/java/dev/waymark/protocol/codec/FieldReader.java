package dev.waymark.protocol.codec;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads protobuf fields from a part of a buffer and never beyond it. Reads by absolute index: the
 * buffer's own indices stay as they are until {@link #leaveFrame}. Confined to the thread of its
 * lane.
 */
final class FieldReader {
  /** Of {@code frames}, the only field of both batches. */
  private static final int FRAMES_FIELD = 1;

  private static final int WIRE_TYPE_BITS = 3;
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int DELIMITED = 2;
  private static final int GROUP_START = 3;
  private static final int GROUP_END = 4;
  private static final int FIXED32 = 5;
  private static final int FRAMES_TAG = FRAMES_FIELD << WIRE_TYPE_BITS | DELIMITED;

  /** The depth of nested groups at which the generated parsers stop too. */
  static final int GROUP_DEPTH_MAX = 100;

  private ByteBuf buffer = Unpooled.EMPTY_BUFFER;
  private int position;
  private int end;
  private MessageLite.@Nullable Builder control;

  /**
   * Goes to the next frame of a batch, from its reader index on, and skips unknown fields.
   *
   * @return false at the end of the batch
   */
  boolean enterFrame(ByteBuf batch) throws MalformedFrameException {
    buffer = batch;
    control = null;
    position = batch.readerIndex();
    end = batch.writerIndex();
    while (hasMore()) {
      int tag = tag();
      if (tag == FRAMES_TAG) {
        int bytes = length();
        end = position + bytes;
        return true;
      }
      skip(tag, FRAMES_FIELD);
    }
    leaveFrame();
    return false;
  }

  /** Moves the batch's reader index behind the frame. */
  void leaveFrame() {
    buffer.readerIndex(end);
    buffer = Unpooled.EMPTY_BUFFER;
    control = null;
  }

  /** Whether the frame has more fields. */
  boolean hasMore() {
    return position < end;
  }

  /** The next field's number and wire type. */
  int tag() throws MalformedFrameException {
    long tag = varint();
    if (tag >>> Integer.SIZE != 0 || tag >>> WIRE_TYPE_BITS == 0) {
      throw MalformedFrameException.TAG_INVALID;
    }
    return (int) tag;
  }

  long varint() throws MalformedFrameException {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (position >= end) {
        throw MalformedFrameException.TRUNCATED;
      }
      byte next = buffer.getByte(position++);
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw MalformedFrameException.VARINT_TOO_LONG;
  }

  boolean bool() throws MalformedFrameException {
    return varint() != 0;
  }

  /**
   * An offset or limit, never negative: 2^63 or more, which no stream reaches, counts as the
   * highest.
   */
  long offset() throws MalformedFrameException {
    long value = varint();
    return value < 0 ? Long.MAX_VALUE : value;
  }

  /** A borrowed slice with the next payload; allocates nothing if it is empty. */
  ByteBuf payload(int bytesMax) throws MalformedFrameException {
    int bytes = length();
    if (bytes > bytesMax) {
      throw MalformedFrameException.PAYLOAD_TOO_LONG;
    }
    if (bytes == 0) {
      return Unpooled.EMPTY_BUFFER;
    }
    ByteBuf payload = buffer.slice(position, bytes);
    position += bytes;
    return payload;
  }

  /** A copy of the next context. */
  byte[] context(int bytesMax) throws MalformedFrameException {
    int bytes = length();
    if (bytes > bytesMax) {
      throw MalformedFrameException.CONTEXT_TOO_LONG;
    }
    byte[] context = new byte[bytes];
    buffer.getBytes(position, context);
    position += bytes;
    return context;
  }

  /**
   * Reads the next member of the frame's {@code control}. One that comes in parts is merged; of
   * several members the last one counts.
   *
   * @param empty a builder for its first part
   */
  void control(MessageLite.Builder empty) throws MalformedFrameException {
    if (control == null || control.getClass() != empty.getClass()) {
      control = empty;
    }
    int bytes = length();
    try {
      var input = CodedInputStream.newInstance(buffer.nioBuffer(position, bytes));
      control.mergeFrom(input);
      input.checkLastTagWas(0);
      position += bytes;
    } catch (IOException e) {
      throw MalformedFrameException.CONTROL_INVALID;
    }
  }

  /** The frame's {@code control}, once all its fields were read; null if it has none. */
  @Nullable MessageLite control() {
    return control == null ? null : control.build();
  }

  /**
   * Skips a field that the caller does not know.
   *
   * @param knownFieldMax fields up to this number are known: one of them has the wrong wire type
   */
  void skip(int tag, int knownFieldMax) throws MalformedFrameException {
    if (tag >>> WIRE_TYPE_BITS <= knownFieldMax) {
      throw MalformedFrameException.WIRE_TYPE_MISMATCH;
    }
    skipValue(tag, GROUP_DEPTH_MAX);
  }

  private void skipValue(int tag, int groupsLeft) throws MalformedFrameException {
    switch (tag & (1 << WIRE_TYPE_BITS) - 1) {
      case VARINT -> varint();
      case FIXED64 -> advance(Long.BYTES);
      case DELIMITED -> advance(length());
      case GROUP_START -> skipGroup(tag, groupsLeft - 1);
      case FIXED32 -> advance(Integer.BYTES);
      default -> throw MalformedFrameException.WIRE_TYPE_INVALID;
    }
  }

  /** Skips fields up to the end of the group that began with this tag. */
  private void skipGroup(int startTag, int groupsLeft) throws MalformedFrameException {
    if (groupsLeft < 0) {
      throw MalformedFrameException.GROUP_TOO_DEEP;
    }
    int endTag = startTag - GROUP_START + GROUP_END;
    for (int tag = tag(); tag != endTag; tag = tag()) {
      skipValue(tag, groupsLeft);
    }
  }

  private int length() throws MalformedFrameException {
    long bytes = varint();
    if (bytes < 0 || bytes > end - position) {
      throw MalformedFrameException.TRUNCATED;
    }
    return (int) bytes;
  }

  private void advance(int bytes) throws MalformedFrameException {
    if (bytes > end - position) {
      throw MalformedFrameException.TRUNCATED;
    }
    position += bytes;
  }
}
