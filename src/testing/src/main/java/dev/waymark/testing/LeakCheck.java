package dev.waymark.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.Unpooled;
import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * Fails a test run that lost a buffer, once, when its last class has ended: a look costs two
 * collections. Netty's report names the test that used the buffer. Registered for all by
 * META-INF/services.
 */
public final class LeakCheck implements BeforeAllCallback {
  /**
   * References are handed over some time after the collection that cleared them; the second finds
   * what the first left.
   */
  private static final int COLLECTIONS = 2;

  @Override
  public void beforeAll(ExtensionContext context) {
    AutoCloseable atTheEnd =
        () -> assertThat(leaks()).as("buffers that were not released").isEmpty();
    context.getRoot().getStore(Namespace.GLOBAL).computeIfAbsent(LeakCheck.class, _ -> atTheEnd);
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
