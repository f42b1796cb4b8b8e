package dev.waymark.upstream;

import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.CloseReason;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a push (protocol.md, rule 6). Immutable.
 *
 * @param reason with GONE: why the connection closed, or null if the bridge does not know
 * @param closedUnixMs with GONE: when it closed, in Unix milliseconds, or 0 if the bridge does not
 *     know
 * @param waitingBytes with FULL: how many pushed bytes are already waiting for that connection
 */
public record PushAnswer(
    Outcome outcome, @Nullable CloseReason reason, long closedUnixMs, long waitingBytes) {
  /** The outcomes that a bridge reports; the last three are the SDK's own. */
  public enum Outcome {
    /** Handed to the client's socket. */
    WRITTEN,
    /** The connection is closed or closing, or accepts no more replies. */
    GONE,
    /** No connection ever had this mark. */
    NEVER_EXISTED,
    /** Too many pushed bytes are waiting at the bridge, or it is out of memory: try again later. */
    FULL,
    /** The connection is not in the epoch that the push named. */
    FENCED,
    /** This upstream's pool may not push to that connection, whether it exists or not. */
    FORBIDDEN,
    /** No reply ended in time. */
    EXPIRED,
    /** The bridge named by the mark has no lane to this upstream; nothing was sent. */
    NO_LANE,
    /** Too many pushes to that bridge are unanswered; nothing was sent. */
    TOO_MANY,
    /** The lane was lost before the answer came: the push may or may not have been written. */
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
