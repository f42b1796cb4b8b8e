package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Clean hand-over (rule 9): Release is sent only on lanes with Settings, no data follows it in its
 * epoch, and the Open of the next owner has the right cause.
 */
public final class Rule9HandOver implements Watcher {
  private static final String RULE = "rule 9 (handover)";

  private record Last(Leaving how, boolean wasReleasing, boolean wasAcknowledging) {}

  private final Ledger ledger;
  private final Map<Long, Last> left = new HashMap<>();
  private long handedOver;

  public Rule9HandOver(Ledger ledger) {
    this.ledger = ledger;
  }

  @Override
  public void onRelease(int lane, long connection, int epoch) {
    require(ledger.isAcknowledging(lane), RULE, "Release on a lane without Settings", connection);
    require(!ledger.isPinned(lane), RULE, "Release of a pinned connection", connection);
    require(!ledger.isReleasing(connection), RULE, "a second Release", connection);
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    require(!ledger.isReleasing(connection), RULE, "data after Release", connection, offset);
  }

  @Override
  public void onHalfClose(int lane, long connection, int epoch, long offset) {
    require(!ledger.isReleasing(connection), RULE, "HalfClose after Release", connection, offset);
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    int lane = ledger.lane(connection);
    left.put(
        connection, new Last(how, ledger.isReleasing(connection), ledger.isAcknowledging(lane)));
    handedOver += how == Leaving.RELEASED ? 1 : 0;
  }

  @Override
  public void onOpen(
      int lane, long connection, int epoch, long limit, @Nullable ResumeState reopen) {
    if (reopen == null) {
      return;
    }
    Last last = left.get(connection);
    boolean isRight =
        last != null
            && switch (reopen.cause()) {
              case LANE_BROKEN -> last.how() == Leaving.LOST;
              case REFUSED -> last.how() == Leaving.REFUSED;
              case STALLED -> last.how() == Leaving.FENCED && !last.wasReleasing();
              case DRAINING, LEADER_CHANGED ->
                  last.how() == Leaving.RELEASED
                      || (last.how() == Leaving.FENCED
                          && (last.wasReleasing() || !last.wasAcknowledging()));
              case REBALANCE ->
                  last.how() == Leaving.RELEASED
                      || (last.how() == Leaving.FENCED && last.wasReleasing());
            };
    require(isRight, RULE, "a wrong cause: " + reopen.cause() + " after " + last, connection);
  }

  @Override
  public void onSocketClosed(long connection) {
    left.remove(connection);
  }

  /** The number of handovers that owners have completed. */
  public long handedOver() {
    return handedOver;
  }
}
