package dev.waymark.protocol.codec;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The content of an {@link OutboundBatch}, which gRPC can take once: by the first drain, read or
 * close. After that, and after a release of the batch, this is an empty message, because a call
 * that was abandoned with the message still queued must not throw inside gRPC.
 *
 * <p>Thread-safe: a transport may read on its own thread while the lane's thread is still in {@code
 * sendMessage}. Once the content is taken, the batch reclaims the array.
 */
final class OutboundMessage extends InputStream implements Drainable, KnownLength {
  private final byte[] array;
  private final int arrayBytes;
  private final int bytes;
  private List<OutboundBatch.Kept> kept;
  private boolean isTaken;

  /** The content for a transport that reads instead of draining, or reads later. */
  private @Nullable InputStream copy;

  OutboundMessage(byte[] array, int arrayBytes, List<OutboundBatch.Kept> kept, int bytes) {
    this.array = array;
    this.arrayBytes = arrayBytes;
    this.kept = kept;
    this.bytes = bytes;
  }

  // --- for the batch ---

  /** Whether the content was taken, so that the array can be reused. */
  synchronized boolean isTaken() {
    return isTaken;
  }

  byte[] array() {
    return array;
  }

  /** Drops the content if it was not taken. */
  synchronized void discard() {
    if (!isTaken) {
      take();
    }
  }

  /**
   * Copies the content if it was not taken, and frees the array and the payloads. Later reads get
   * the copy.
   */
  synchronized void detach() {
    if (!isTaken) {
      copy();
    }
  }

  // --- for gRPC ---

  @Override
  public synchronized int drainTo(OutputStream target) throws IOException {
    if (isTaken) {
      return copy == null ? 0 : (int) copy.transferTo(target);
    }
    try {
      writeTo(target);
    } finally {
      take();
    }
    return bytes;
  }

  @Override
  public synchronized int available() throws IOException {
    if (!isTaken) {
      return bytes;
    }
    return copy == null ? 0 : copy.available();
  }

  @Override
  public synchronized int read() throws IOException {
    return copy().read();
  }

  @Override
  public synchronized int read(byte[] target, int offset, int count) throws IOException {
    return copy().read(target, offset, count);
  }

  @Override
  public synchronized void close() {
    discard();
    copy = null;
  }

  private void writeTo(OutputStream target) throws IOException {
    int written = 0;
    for (int i = 0; i < kept.size(); i++) {
      OutboundBatch.Kept next = kept.get(i);
      ByteBuf payload = next.payload();
      target.write(array, written, next.at() - written);
      payload.getBytes(payload.readerIndex(), target, payload.readableBytes());
      written = next.at();
    }
    target.write(array, written, arrayBytes - written);
  }

  private void take() {
    isTaken = true;
    OutboundBatch.releaseAll(kept);
    kept = List.of();
  }

  private InputStream copy() {
    if (copy == null) {
      var target = new ByteArrayOutputStream(isTaken ? 0 : bytes);
      try {
        drainTo(target);
      } catch (IOException e) {
        throw new IllegalStateException("writing to an array cannot fail", e);
      }
      copy = new ByteArrayInputStream(target.toByteArray());
    }
    return copy;
  }
}
