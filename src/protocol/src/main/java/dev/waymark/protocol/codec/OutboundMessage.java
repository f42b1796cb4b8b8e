package dev.waymark.protocol.codec;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The content of an {@link OutboundBatch} for the one time that gRPC takes it. Whichever comes
 * first, a drain, a read or a close, empties the batch; from then on, and once the batch was
 * released, this is an empty message: a call that still had to send it when it was given up must
 * not throw inside gRPC. Confined to the thread of its lane.
 */
final class OutboundMessage extends InputStream implements Drainable, KnownLength {
  private final OutboundBatch batch;

  /** What is left for a transport that reads instead of draining; null before the first read. */
  private @Nullable InputStream copy;

  OutboundMessage(OutboundBatch batch) {
    this.batch = batch;
  }

  @Override
  public int drainTo(OutputStream target) throws IOException {
    if (!batch.isCurrent(this)) {
      return 0;
    }
    int bytes = batch.bytes();
    try {
      batch.writeTo(target);
    } finally {
      batch.release();
    }
    return bytes;
  }

  @Override
  public int available() throws IOException {
    if (batch.isCurrent(this)) {
      return batch.bytes();
    }
    return copy == null ? 0 : copy.available();
  }

  @Override
  public int read() throws IOException {
    return copy().read();
  }

  @Override
  public int read(byte[] target, int offset, int bytes) throws IOException {
    return copy().read(target, offset, bytes);
  }

  @Override
  public void close() {
    if (batch.isCurrent(this)) {
      batch.release();
    }
  }

  private InputStream copy() throws IOException {
    if (copy == null) {
      var target = new ByteArrayOutputStream(available());
      drainTo(target);
      copy = new ByteArrayInputStream(target.toByteArray());
    }
    return copy;
  }
}
