package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Replay and atomic commits (rules 3 and 4): a new owner is sent exactly the bytes that no former
 * owner has consumed, and its resume state is exactly what took effect; and no connection ends with
 * POISON before it has lost three owners.
 */
public final class Rule3Replay implements Watcher {
  private static final String RULE = "rule 3 (replay)";
  private static final int LOSSES_MIN = 3;

  /** A connection with this many losses is a suspect: it waits for probation. */
  private static final int SUSPECT_LOSSES = 2;

  private static final class State {
    long committed;
    long replyStart;
    long clientBytes;
    boolean isClientEnded;
    boolean isClientBroken;
    boolean isRepliesEnded;
    byte @Nullable [] context;
    int losses;

    /** What was consumed when owners were lost; the losses count until that moves. */
    long consumedAtLosses;

    /** Unconsumed bytes when the last owner was lost; 0 once there is another. */
    long lostBytes;

    /** Unconsumed bytes when the last owner released it; 0 once there is another. */
    long releasedBytes;

    /** Whether owners are told of the client's end. */
    boolean isClientEndSent() {
      return isClientEnded && !isClientBroken;
    }
  }

  private final Ledger ledger;
  private final Map<Long, State> states = new HashMap<>();
  private long replayedBytes;

  public Rule3Replay(Ledger ledger) {
    this.ledger = ledger;
  }

  @Override
  public void onAccepted(long connection) {
    states.put(connection, new State());
  }

  @Override
  public void onClientBytes(long connection, int bytes, boolean isLast) {
    states.get(connection).clientBytes += bytes;
  }

  @Override
  public void onClientEnd(long connection) {
    states.get(connection).isClientEnded = true;
  }

  @Override
  public void onClientViolation(long connection) {
    states.get(connection).isClientBroken = true;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    State state = states.get(connection);
    state.lostBytes = 0;
    state.releasedBytes = 0;
    if (left == null) {
      return;
    }
    long consumed = ledger.consumed(connection);
    long first = left.firstOffset();
    require(
        first == consumed,
        RULE,
        "replayed from another offset than consumed",
        connection,
        first,
        consumed);
    require(
        left.committed() == state.committed,
        RULE,
        "wrong committed bytes",
        connection,
        left.committed(),
        state.committed);
    require(
        left.committedSinceConsumed() == state.committed - state.replyStart,
        RULE,
        "wrong bytes committed since consumed",
        connection,
        left.committedSinceConsumed());
    require(
        left.clientEndedAt() == (state.isClientEndSent() ? state.clientBytes : -1),
        RULE,
        "wrong end of the client's stream",
        connection,
        left.clientEndedAt());
    require(
        left.isRepliesEnded() == state.isRepliesEnded,
        RULE,
        "wrong end of the replies",
        connection);
    require(Arrays.equals(left.context(), state.context), RULE, "wrong context", connection);
  }

  @Override
  public void onCommit(Commit commit) {
    State state = states.get(commit.connection());
    state.committed += commit.bytes();
    state.isRepliesEnded |= commit.isEnd();
    byte[] context = commit.context();
    if (context != null) {
      state.context = context.length == 0 ? null : context;
    }
    if (commit.isReplyEnd()) {
      state.replyStart = state.committed;
    }
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    if (reason.equals("POISON")) {
      // A Close with POISON stands for the last loss.
      count(connection);
    }
    if (reason.equals("CONNECTION_AGE")) {
      // Its last owner may have released it with the same frame: nobody gets these bytes.
      replayedBytes -= states.get(connection).releasedBytes;
    }
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (ledger.isAtMostOnce(ledger.lane(connection))) {
      // All bytes sent count as consumed, so no reply is unfinished.
      states.get(connection).replyStart = states.get(connection).committed;
    }
    switch (how) {
      case LOST, FENCED -> lost(connection);
      case REFUSED -> replayedBytes += unconsumed(connection);
      case RELEASED -> {
        states.get(connection).releasedBytes = unconsumed(connection);
        replayedBytes += unconsumed(connection);
      }
      case ENDED -> {}
    }
  }

  private void lost(long connection) {
    State state = states.get(connection);
    long unconsumed = unconsumed(connection);
    if (unconsumed > 0) {
      count(connection);
    }
    state.lostBytes = unconsumed;
    replayedBytes += unconsumed;
  }

  private void count(long connection) {
    State state = states.get(connection);
    state.losses = lossesWithoutProgress(connection) + 1;
    state.consumedAtLosses = ledger.consumed(connection);
  }

  /** At-most-once owners make progress too: what they were sent counts as consumed. */
  private int lossesWithoutProgress(long connection) {
    State state = states.get(connection);
    return state.consumedAtLosses == ledger.consumed(connection) ? state.losses : 0;
  }

  private long unconsumed(long connection) {
    return ledger.sent(connection) - ledger.consumed(connection);
  }

  /** Whether the connection may be waiting for probation. */
  public boolean isSuspect(long connection) {
    return lossesWithoutProgress(connection) >= SUSPECT_LOSSES;
  }

  /** Checks the end that the bridge has reported. */
  public void checkEnd(long connection, CloseReason reason) {
    State state = states.get(connection);
    if (reason == CloseReason.POISON) {
      // Nobody gets the bytes of the last owner.
      replayedBytes -= state.lostBytes;
    }
    require(
        reason != CloseReason.POISON || lossesWithoutProgress(connection) >= LOSSES_MIN,
        RULE,
        "POISON after too few losses",
        connection,
        state.losses);
  }

  /** Checks the bridge's counter of replayed bytes. */
  public void checkReplayed(long bytes) {
    require(bytes == replayedBytes, RULE, "replayed bytes are miscounted", bytes, replayedBytes);
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }
}
