package dev.waymark.upstreams.discovery;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** Splits a stream into lines of bounded length. Confined to one thread. */
final class LineStream implements AutoCloseable {
  private final InputStream in;
  private final int bytesMax;

  LineStream(InputStream in, int bytesMax) {
    this.in = new BufferedInputStream(in);
    this.bytesMax = bytesMax;
  }

  /**
   * Returns the next line that is not empty; empty at the end. A line longer than the limit comes
   * without what is beyond, as does one that the end cuts off. Blocks.
   */
  Optional<byte[]> next() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int each = in.read(); each >= 0; each = in.read()) {
      if (each != '\n') {
        line.write(each);
      }
      if ((each == '\n' && line.size() > 0) || line.size() > bytesMax) {
        return Optional.of(line.toByteArray());
      }
    }
    return line.size() == 0 ? Optional.empty() : Optional.of(line.toByteArray());
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
