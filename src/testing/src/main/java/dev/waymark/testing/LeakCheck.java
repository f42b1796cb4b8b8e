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
 * Fails a test run that leaked a buffer. Checks once, after the last test class, because a check
 * costs two garbage collections; Netty's report names the test that used the buffer. Registered for
 * all tests in META-INF/services.
 */
public final class LeakCheck implements BeforeAllCallback {
  /**
   * References are enqueued some time after the collection that cleared them, so a second
   * collection finds what the first missed.
   */
  private static final int COLLECTIONS = 2;

  @Override
  public void beforeAll(ExtensionContext context) {
    AutoCloseable atEndOfRun =
        () -> assertThat(leaks()).as("buffers that were not released").isEmpty();
    context.getRoot().getStore(Namespace.GLOBAL).computeIfAbsent(LeakCheck.class, _ -> atEndOfRun);
  }

  /** The leaks found since the last call, each with the places that touched the buffer. */
  static List<String> leaks() {
    for (int i = 0; i < COLLECTIONS; i++) {
      var sentinel = new WeakReference<>(new Object());
      System.gc();
      await().until(() -> sentinel.refersTo(null));
      // The detector checks its reference queue when a buffer is allocated.
      Unpooled.directBuffer(1).release();
    }
    return LeakRecorder.drain();
  }
}
