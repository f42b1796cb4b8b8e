package dev.waymark.engine.connection;

import dev.waymark.protocol.Mark;
import java.util.Locale;

/**
 * The report that a connection was detached from its owner by force; it goes to another owner, or
 * ends. Immutable.
 *
 * @param upstream the owner's address
 * @param silentNs how long no frame for this connection came from the owner
 * @param stuckNs how long it had been waiting for a commit if bytes were unconsumed, else 0
 * @param unconsumedBytes client bytes that the owner had been sent and had not consumed
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
    /** Show a sign of work on unconsumed bytes: its handler hangs. */
    STALLED,
    /** Consume, though its window was full: the connection ends. */
    WINDOW_STALLED,
    /** End a commit: the connection ends. */
    COMMIT_INCOMPLETE,
    /** Hand the connection over. */
    RELEASE_OVERDUE,
    /** Let the connection end while draining; it cannot hand over. */
    DRAIN_OVERDUE,
    /** Nothing: it no longer leads, and cannot hand over. */
    LEADER_CHANGED;

    /** For logs. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
