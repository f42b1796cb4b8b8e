package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a stub answers. Immutable.
 *
 * @param acknowledge false: an upstream without Settings
 * @param reply what every message is answered with that no rule matches; null: the message itself
 * @param rules tried before, in order
 * @param delay what every answer waits, in addition to its rule's delay
 * @param isLoggingFrames one INFO line per piece of data each way
 * @param name what {@code ${name}} in replies stands for; null: the first address
 * @param refusal with what every connection is refused; null: none is
 * @param isAnnouncing has all connections announced; not without {@code acknowledge}
 */
public record StubOptions(
    boolean acknowledge,
    @Nullable String reply,
    Rules rules,
    Duration delay,
    boolean isLoggingFrames,
    @Nullable String name,
    @Nullable CloseReason refusal,
    boolean isAnnouncing) {
  /** Answers bytes with the same bytes. */
  public static final StubOptions ECHO =
      new StubOptions(true, null, Rules.NONE, Duration.ZERO, false, null, null, false);

  /** Whether answers depend on where messages end. */
  boolean isByMessage() {
    return reply != null || !rules.isEmpty();
  }
}
