package dev.waymark.upstream;

import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.CloseReason;
import org.jspecify.annotations.Nullable;

/**
 * What became of bytes pushed to a connection (protocol.md, rule 6). Immutable.
 *
 * @param reason of GONE, where the bridge knows it
 * @param closedUnixMs of GONE, where the bridge knows it, else 0
 * @param waitingBytes of FULL: pushed bytes that wait for that connection already
 */
public record PushAnswer(
    Outcome outcome, @Nullable CloseReason reason, long closedUnixMs, long waitingBytes) {
  /** The bridge's answers, and those that need no bridge. */
  public enum Outcome {
    /** Handed to the client's socket. */
    WRITTEN,
    /** The connection is closed, or takes no more replies. */
    GONE,
    /** There never was such a mark. */
    NEVER_EXISTED,
    /** Too many pushed bytes wait at the bridge: try again later. */
    FULL,
    /** The connection is in another epoch than the one that was named. */
    FENCED,
    /** The pool of this upstream may not push to that connection, if it is there. */
    FORBIDDEN,
    /** No place where a reply ends came in time. */
    EXPIRED,
    /** No bridge that holds this mark is connected here; nothing was sent. */
    NO_LANE,
    /** Too many pushes wait here for that bridge's answers; nothing was sent. */
    TOO_MANY,
    /** The lane was lost before the answer came: nobody knows whether it was written. */
    UNKNOWN
  }

  static PushAnswer of(Outcome outcome) {
    return new PushAnswer(outcome, null, 0, 0);
  }

  static PushAnswer of(BridgeControl.PushResult result) {
    Outcome outcome =
        switch (result.outcomeCode()) {
          case 1 -> Outcome.WRITTEN;
          case 2 -> Outcome.GONE;
          case 3 -> Outcome.NEVER_EXISTED;
          case 4 -> Outcome.FULL;
          case 5 -> Outcome.FENCED;
          case 6 -> Outcome.FORBIDDEN;
          case 7 -> Outcome.EXPIRED;
          default -> Outcome.UNKNOWN;
        };
    int reason = result.reasonCode();
    return new PushAnswer(
        outcome,
        reason == 0 ? null : CloseReason.ofWireCode(reason),
        result.closedUnixMs(),
        result.waitingBytes());
  }
}
