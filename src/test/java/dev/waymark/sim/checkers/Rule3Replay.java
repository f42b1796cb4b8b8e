package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.core.CloseReason;
import dev.waymark.core.Reopen;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Replay and atomic commits (rules 3 and 4): a new owner is given exactly what no former owner has
 * consumed, and is told exactly what took effect; and one bad request ends after three owners.
 */
public final class Rule3Replay implements Watcher {
  private static final String RULE = "rule 3 (replay)";
  private static final int LOSSES_MAX = 3;

  private static final class State {
    long taken;
    long replyStart;
    long clientBytes;
    boolean isClientEnded;
    boolean isClientBroken;
    boolean isRepliesEnded;
    byte @Nullable [] context;
    int lossesWithoutProgress;

    /** Unconsumed when the last owner refused; 0 once there is another. */
    long refusedBytes;

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
  public void onClientBreach(long connection) {
    states.get(connection).isClientBroken = true;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable Reopen left) {
    State state = states.get(connection);
    state.refusedBytes = 0;
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
    require(left.taken() == state.taken, RULE, "taken", connection, left.taken(), state.taken);
    require(
        left.takenSinceConsumed() == state.taken - state.replyStart,
        RULE,
        "taken since consumed",
        connection,
        left.takenSinceConsumed());
    require(
        left.clientEndedAt() == (state.isTold() ? state.clientBytes : -1),
        RULE,
        "where the client ended",
        connection,
        left.clientEndedAt());
    require(left.isRepliesEnded() == state.isRepliesEnded, RULE, "replies ended", connection);
    require(Arrays.equals(left.context(), state.context), RULE, "another context", connection);
    require(
        state.lossesWithoutProgress < LOSSES_MAX,
        RULE,
        "re-opened too often without progress",
        connection);
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
      lost(connection);
    }
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (ledger.isPlain(ledger.lane(connection))) {
      // What it was sent counts as consumed, so nothing of its reply is to come.
      states.get(connection).replyStart = states.get(connection).taken;
    }
    switch (how) {
      case LOST, FENCED -> lost(connection);
      case REFUSED -> {
        states.get(connection).refusedBytes = unconsumed(connection);
        replayedBytes += unconsumed(connection);
      }
      case RELEASED -> replayedBytes += unconsumed(connection);
      case ENDED -> {}
    }
  }

  private void lost(long connection) {
    State state = states.get(connection);
    long unconsumed = unconsumed(connection);
    state.lossesWithoutProgress += unconsumed > 0 ? 1 : 0;
    replayedBytes += state.lossesWithoutProgress < LOSSES_MAX ? unconsumed : 0;
  }

  private long unconsumed(long connection) {
    return ledger.sent(connection) - ledger.consumed(connection);
  }

  /** How a connection ended, as the bridge says. */
  public void checkEnd(long connection, CloseReason reason) {
    State state = states.get(connection);
    if (reason.isRefusal()) {
      // The last one that refused ended it: nobody is sent what it was sent.
      replayedBytes -= state.refusedBytes;
    }
    require(
        reason != CloseReason.POISON || state.lossesWithoutProgress >= LOSSES_MAX,
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
