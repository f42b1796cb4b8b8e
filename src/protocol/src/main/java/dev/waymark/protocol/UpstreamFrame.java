package dev.waymark.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * One frame from an upstream: a reused cursor, valid until the next frame is read into it.
 * attach.proto defines the fields. Confined to its shard's thread.
 */
public final class UpstreamFrame {
  /** Means that the frame has no {@code consumed}, or a Push no epoch. */
  public static final long ABSENT = -1;

  private long connection;
  private int epoch;
  private ByteBuf payload = Unpooled.EMPTY_BUFFER;
  private long consumed;
  private byte @Nullable [] context;
  private boolean more;
  private boolean halfClose;
  private int close;
  private @Nullable UpstreamControl control;

  /** Resets all fields to their defaults. */
  public UpstreamFrame clear() {
    connection = 0;
    epoch = 0;
    payload = Unpooled.EMPTY_BUFFER;
    consumed = ABSENT;
    context = null;
    more = false;
    halfClose = false;
    close = 0;
    control = null;
    return this;
  }

  public long connection() {
    return connection;
  }

  public UpstreamFrame connection(long value) {
    connection = value;
    return this;
  }

  public int epoch() {
    return epoch;
  }

  public UpstreamFrame epoch(int value) {
    epoch = value;
    return this;
  }

  /** Borrowed: to keep it, take a retained slice. */
  public ByteBuf payload() {
    return payload;
  }

  public UpstreamFrame payload(ByteBuf borrowed) {
    payload = borrowed;
    return this;
  }

  /** A client offset, or {@link #ABSENT}. */
  public long consumed() {
    return consumed;
  }

  public UpstreamFrame consumed(long value) {
    consumed = value;
    return this;
  }

  /** The new context: null if absent, empty to clear it. */
  public byte @Nullable [] context() {
    return context;
  }

  public UpstreamFrame context(byte @Nullable [] value) {
    context = value;
    return this;
  }

  public boolean more() {
    return more;
  }

  public UpstreamFrame more(boolean value) {
    more = value;
    return this;
  }

  public boolean halfClose() {
    return halfClose;
  }

  public UpstreamFrame halfClose(boolean value) {
    halfClose = value;
    return this;
  }

  /** The wire code of a {@link CloseReason}, or 0 if the connection continues. */
  public int close() {
    return close;
  }

  public UpstreamFrame close(int value) {
    close = value;
    return this;
  }

  /** Null in a data frame, and if this revision does not know the control. */
  public @Nullable UpstreamControl control() {
    return control;
  }

  public UpstreamFrame control(@Nullable UpstreamControl value) {
    control = value;
    return this;
  }
}
