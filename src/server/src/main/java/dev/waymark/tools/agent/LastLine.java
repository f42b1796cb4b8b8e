package dev.waymark.tools.agent;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Reads an output to its end, and keeps the last line that is not blank. Thread-safe. */
final class LastLine {
  /** The rest of a longer line is dropped. */
  static final int BYTES_MAX = 200;

  private static final int BUFFER_BYTES = 4_096;

  private final byte[] line = new byte[BYTES_MAX];
  private int length;
  private String last = "";

  /** Returns at the end of the output, or when it breaks off. */
  void read(InputStream output) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (output) {
      for (int count = output.read(buffer); count >= 0; count = output.read(buffer)) {
        add(buffer, count);
      }
    } catch (IOException killed) {
      // What came before counts.
    }
  }

  private synchronized void add(byte[] bytes, int count) {
    for (int i = 0; i < count; i++) {
      if (bytes[i] == '\n') {
        last = text();
        length = 0;
      } else if (length < BYTES_MAX) {
        line[length++] = bytes[i];
      }
    }
  }

  /** The last line so far, without what a terminal would not print. */
  synchronized String text() {
    String unfinished = new String(line, 0, length, StandardCharsets.UTF_8);
    String clean = unfinished.replaceAll("\\p{Cntrl}", "").strip();
    return clean.isEmpty() ? last : clean;
  }
}
