package dev.waymark.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.Unpooled;
import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test class that lost a buffer. Registered for all by META-INF/services. */
public final class LeakCheck implements AfterAllCallback {
  /**
   * References are handed over some time after the collection that cleared them; the second finds
   * what the first left.
   */
  private static final int COLLECTIONS = 2;

  @Override
  public void afterAll(ExtensionContext context) {
    assertThat(leaks()).as("buffers lost by %s", context.getDisplayName()).isEmpty();
  }

  /** What was lost since the last call, each with the places that touched it. */
  static List<String> leaks() {
    for (int i = 0; i < COLLECTIONS; i++) {
      var sentinel = new WeakReference<>(new Object());
      System.gc();
      await().until(() -> sentinel.refersTo(null));
      // The detector looks at what was cleared when the next buffer is made.
      Unpooled.directBuffer(1).release();
    }
    return LeakRecorder.drain();
  }
}
