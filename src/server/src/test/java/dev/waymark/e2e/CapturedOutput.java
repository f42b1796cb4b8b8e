package dev.waymark.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Reads an output stream of a process to its end, so that the process never blocks. Thread-safe.
 */
final class CapturedOutput {
  /** More than any test looks at; the rest is read and dropped. */
  private static final int TEXT_CHARS_MAX = 16 << 20;

  private static final Duration END_TIMEOUT = Duration.ofSeconds(5);

  @SuppressWarnings("JdkObsolete") // shared by the test and the reader
  private final StringBuffer text = new StringBuffer();

  private final Thread reader;

  CapturedOutput(InputStream in) {
    reader = Thread.ofPlatform().daemon().name("process-output").start(() -> read(in));
  }

  String text() {
    return text.toString();
  }

  /** Waits for the end of the stream, but not forever: a grandchild may hold it open. */
  void awaitEnd() {
    try {
      reader.join(END_TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void read(InputStream in) {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (text.length() < TEXT_CHARS_MAX) {
          text.append(line).append('\n');
        }
      }
    } catch (IOException processGone) {
      text.append("(output ended: ").append(processGone.getMessage()).append(")\n");
    }
  }
}
