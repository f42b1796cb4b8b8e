package dev.waymark.protocol.codec;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads protobuf fields from one region of a buffer and never past its end. Reads by absolute
 * index: the buffer's own indices do not move until {@link #leaveFrame}. Confined to the thread of
 * its lane.
 */
final class FieldReader {
  /** The number of {@code frames}, the only field of both batch messages. */
  private static final int FRAMES_FIELD = 1;

  private static final int WIRE_TYPE_BITS = 3;
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int DELIMITED = 2;
  private static final int GROUP_START = 3;
  private static final int GROUP_END = 4;
  private static final int FIXED32 = 5;
  private static final int FRAMES_TAG = FRAMES_FIELD << WIRE_TYPE_BITS | DELIMITED;

  /** The deepest nesting of groups; the limit of the generated parsers. */
  static final int GROUP_DEPTH_MAX = 100;

  private ByteBuf buffer = Unpooled.EMPTY_BUFFER;
  private int position;
  private int end;
  private MessageLite.@Nullable Builder control;

  /**
   * Moves to the next frame of a batch, starting at its reader index and skipping unknown fields.
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

  /** Moves the batch's reader index past the frame. */
  void leaveFrame() {
    buffer.readerIndex(end);
    buffer = Unpooled.EMPTY_BUFFER;
    control = null;
  }

  /** Whether the frame has more fields. */
  boolean hasMore() {
    return position < end;
  }

  /** Reads the tag of the next field: its number and wire type. */
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
   * Reads an offset or limit. Never negative: values of 2^63 and above, which no stream reaches,
   * become {@link Long#MAX_VALUE}.
   */
  long offset() throws MalformedFrameException {
    long value = varint();
    return value < 0 ? Long.MAX_VALUE : value;
  }

  /** Reads a payload as a borrowed slice; allocates nothing if it is empty. */
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

  /** Reads a context into a new array. */
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
   * Reads a member of the frame's {@code control}. Parts of the same member are merged; of several
   * members the last one wins.
   *
   * @param empty the builder to use if this is the member's first part
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

  /** The frame's {@code control}, or null if it has none. Call it after reading all fields. */
  @Nullable MessageLite control() {
    return control == null ? null : control.build();
  }

  /**
   * Skips an unknown field.
   *
   * @param knownFieldMax the highest known field number; a field up to it got here only because its
   *     wire type is wrong, which is an error
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

  /** Skips the rest of the group that began with this tag. */
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
