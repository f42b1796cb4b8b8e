package dev.waymark.wire;

import dev.waymark.core.Check;
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
 * first, a drain, a read or a close, empties the batch; a close after that does nothing. Confined
 * to the thread of its lane.
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
    Check.that(batch.isCurrent(this), "a message is drained once, before its batch is released");
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
      var target = new ByteArrayOutputStream(batch.bytes());
      drainTo(target);
      copy = new ByteArrayInputStream(target.toByteArray());
    }
    return copy;
  }
}
