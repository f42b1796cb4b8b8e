package dev.waymark.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * One frame from a bridge: a reused cursor, valid until the next frame is read into it.
 * attach.proto defines the fields. Confined to the thread of its lane.
 */
public final class BridgeFrame {
  /** Means that the frame has no limit. */
  public static final long ABSENT = -1;

  private long connection;
  private int epoch;
  private ByteBuf payload = Unpooled.EMPTY_BUFFER;
  private long offset;
  private boolean last;
  private long limit = ABSENT;
  private @Nullable BridgeControl control;

  /** Resets all fields to their defaults. */
  public BridgeFrame clear() {
    connection = 0;
    epoch = 0;
    payload = Unpooled.EMPTY_BUFFER;
    offset = 0;
    last = false;
    limit = ABSENT;
    control = null;
    return this;
  }

  /** The sequence of the connection's mark, or 0 for the lane itself. */
  public long connection() {
    return connection;
  }

  public BridgeFrame connection(long value) {
    connection = value;
    return this;
  }

  public int epoch() {
    return epoch;
  }

  public BridgeFrame epoch(int value) {
    epoch = value;
    return this;
  }

  /** Borrowed: to keep it, take a retained slice. */
  public ByteBuf payload() {
    return payload;
  }

  public BridgeFrame payload(ByteBuf borrowed) {
    payload = borrowed;
    return this;
  }

  /** The offset of the payload's first byte in the client's stream; never negative. */
  public long offset() {
    return offset;
  }

  public BridgeFrame offset(long value) {
    offset = value;
    return this;
  }

  /** Whether the payload ends a framed message. */
  public boolean last() {
    return last;
  }

  public BridgeFrame last(boolean value) {
    last = value;
    return this;
  }

  /** The reply offset that the upstream may not pass, or {@link #ABSENT}. */
  public long limit() {
    return limit;
  }

  public BridgeFrame limit(long value) {
    limit = value;
    return this;
  }

  /** Null in a data frame, and if this revision does not know the control. */
  public @Nullable BridgeControl control() {
    return control;
  }

  public BridgeFrame control(@Nullable BridgeControl value) {
    control = value;
    return this;
  }
}
