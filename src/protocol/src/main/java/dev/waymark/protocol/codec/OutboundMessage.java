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
 * The content of an {@link OutboundBatch} for the one time that gRPC takes it. The first drain,
 * read or close takes it; from then on, and once the batch was released, this is an empty message:
 * a call that still had to send it when it was given up must not throw inside gRPC.
 *
 * <p>Thread-safe, since a transport may read on a thread of its own while the lane's thread is
 * still in {@code sendMessage}. The array goes back to the batch once the content is taken.
 */
final class OutboundMessage extends InputStream implements Drainable, KnownLength {
  private final byte[] array;
  private final int arrayBytes;
  private final int bytes;
  private List<OutboundBatch.Kept> kept;
  private boolean isTaken;

  /** What is left for a transport that reads instead of draining, or reads later. */
  private @Nullable InputStream copy;

  OutboundMessage(byte[] array, int arrayBytes, List<OutboundBatch.Kept> kept, int bytes) {
    this.array = array;
    this.arrayBytes = arrayBytes;
    this.kept = kept;
    this.bytes = bytes;
  }

  // --- for the batch ---

  /** Whether the array is free again. */
  synchronized boolean isTaken() {
    return isTaken;
  }

  byte[] array() {
    return array;
  }

  /** Nobody is to read it any more. */
  synchronized void discard() {
    if (!isTaken) {
      take();
    }
  }

  /** Frees the array and the payloads: whoever reads later gets a copy. */
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
        throw new IllegalStateException("an array takes every byte", e);
      }
      copy = new ByteArrayInputStream(target.toByteArray());
    }
    return copy;
  }
}
