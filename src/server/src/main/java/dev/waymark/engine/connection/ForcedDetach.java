package dev.waymark.engine.connection;

import dev.waymark.protocol.Mark;
import java.util.Locale;

/**
 * A connection was taken from its owner by force: it goes to another, or ends. Immutable.
 *
 * @param upstream the owner's address
 * @param silentNs how long no frame of the owner came for this connection
 * @param stuckNs how long it has been waiting for a commit, while bytes were unconsumed; else 0
 * @param unconsumedBytes client bytes that the owner had been sent and was not done with
 */
public record ForcedDetach(
    Mark mark,
    String pool,
    String upstream,
    Why why,
    long silentNs,
    long stuckNs,
    long unconsumedBytes) {
  /** What the owner did not do in time. */
  public enum Why {
    /** Say anything about bytes that it had not consumed: its handler hangs. */
    STALLED,
    /** Consume, though its window was full: the connection ends. */
    WINDOW_STALLED,
    /** End a commit: the connection ends. */
    COMMIT_INCOMPLETE,
    /** Hand the connection over. */
    RELEASE_OVERDUE,
    /** Let it end while it drained, and it cannot hand over. */
    DRAIN_OVERDUE,
    /** It leads no more, and cannot hand over. */
    LEADER_CHANGED;

    /** For logs. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
