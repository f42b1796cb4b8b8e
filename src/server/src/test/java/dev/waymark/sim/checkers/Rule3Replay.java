package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Replay and atomic commits (rules 3 and 4): a new owner is given exactly what no former owner has
 * consumed, and is told exactly what took effect; and no request is called bad before it has lost
 * three owners.
 */
public final class Rule3Replay implements Watcher {
  private static final String RULE = "rule 3 (replay)";
  private static final int LOSSES_MIN = 3;

  /** From so many losses on a connection is tried apart from others. */
  private static final int SUSPECT_LOSSES = 2;

  private static final class State {
    long taken;
    long replyStart;
    long clientBytes;
    boolean isClientEnded;
    boolean isClientBroken;
    boolean isRepliesEnded;
    byte @Nullable [] context;
    int lossesWithoutProgress;

    /** Unconsumed when the last owner was lost; 0 once there is another. */
    long lostBytes;

    /** Unconsumed when the last owner handed it over; 0 once there is another. */
    long releasedBytes;

    /** Owners are told of the client's end. */
    boolean isTold() {
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
        "not replayed from what was consumed",
        connection,
        first,
        consumed);
    require(
        left.committed() == state.taken, RULE, "taken", connection, left.committed(), state.taken);
    require(
        left.committedSinceConsumed() == state.taken - state.replyStart,
        RULE,
        "taken since consumed",
        connection,
        left.committedSinceConsumed());
    require(
        left.clientEndedAt() == (state.isTold() ? state.clientBytes : -1),
        RULE,
        "where the client ended",
        connection,
        left.clientEndedAt());
    require(left.isRepliesEnded() == state.isRepliesEnded, RULE, "replies ended", connection);
    require(Arrays.equals(left.context(), state.context), RULE, "another context", connection);
  }

  @Override
  public void onCommit(Commit commit) {
    State state = states.get(commit.connection());
    state.taken += commit.bytes();
    state.isRepliesEnded |= commit.isEnd();
    byte[] context = commit.context();
    if (context != null) {
      state.context = context.length == 0 ? null : context;
    }
    if (commit.isReplyEnd()) {
      state.replyStart = state.taken;
    }
    if (commit.consumed() > ledger.consumed(commit.connection())) {
      state.lossesWithoutProgress = 0;
    }
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    if (reason.equals("POISON")) {
      // The last loss is told so.
      states.get(connection).lossesWithoutProgress++;
    }
    if (reason.equals("CONNECTION_AGE")) {
      // Its last owner may have handed it over with the same frame: there is no next one.
      replayedBytes -= states.get(connection).releasedBytes;
    }
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (ledger.isAtMostOnce(ledger.lane(connection))) {
      // What it was sent counts as consumed, so nothing of its reply is to come.
      states.get(connection).replyStart = states.get(connection).taken;
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
    state.lossesWithoutProgress += unconsumed > 0 ? 1 : 0;
    state.lostBytes = unconsumed;
    replayedBytes += unconsumed;
  }

  private long unconsumed(long connection) {
    return ledger.sent(connection) - ledger.consumed(connection);
  }

  /** It may wait until it is tried. */
  public boolean isSuspect(long connection) {
    return states.get(connection).lossesWithoutProgress >= SUSPECT_LOSSES;
  }

  /** How a connection ended, as the bridge says. */
  public void checkEnd(long connection, CloseReason reason) {
    State state = states.get(connection);
    if (reason == CloseReason.POISON) {
      // Nobody else is sent what the last one had.
      replayedBytes -= state.lostBytes;
    }
    require(
        reason != CloseReason.POISON || state.lossesWithoutProgress >= LOSSES_MIN,
        RULE,
        "POISON for an honest request",
        connection,
        state.lossesWithoutProgress);
  }

  /** What the bridge says it replayed. */
  public void checkReplayed(long bytes) {
    require(bytes == replayedBytes, RULE, "replayed bytes are miscounted", bytes, replayedBytes);
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }
}
