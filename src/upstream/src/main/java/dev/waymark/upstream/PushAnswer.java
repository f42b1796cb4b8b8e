package dev.waymark.upstream;

import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.CloseReason;
import org.jspecify.annotations.Nullable;

/**
 * What became of a push (protocol.md, rule 6). Immutable.
 *
 * @param reason why the connection closed; of GONE, if the bridge knows it
 * @param closedUnixMs when it closed, in Unix milliseconds; of GONE, if the bridge knows it, else 0
 * @param waitingBytes of FULL: how many pushed bytes wait for that connection already
 */
public record PushAnswer(
    Outcome outcome, @Nullable CloseReason reason, long closedUnixMs, long waitingBytes) {
  /** The bridge's answers; the last three are the SDK's own. */
  public enum Outcome {
    /** Handed to the client's socket. */
    WRITTEN,
    /** The connection is closed, or takes no more replies. */
    GONE,
    /** No connection ever had this mark. */
    NEVER_EXISTED,
    /** Too many pushed bytes wait at the bridge: try again later. */
    FULL,
    /** The connection is in another epoch than the push named. */
    FENCED,
    /** The pool of this upstream may not push to that connection, if it exists. */
    FORBIDDEN,
    /** No reply ended in time. */
    EXPIRED,
    /** The bridge that holds this mark is not connected here; nothing was sent. */
    NO_LANE,
    /** Too many pushes wait for that bridge's answers; nothing was sent. */
    TOO_MANY,
    /** The lane was lost before the answer came: the push may have been written or not. */
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
