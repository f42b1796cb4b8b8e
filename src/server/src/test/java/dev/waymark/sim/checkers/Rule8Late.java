package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Late and unknown things (rule 8): the bridge sends nothing after a Close and does not answer one,
 * raises the epoch with every Open, and refuses frames for connections that never existed, and only
 * these, with UNKNOWN_CONNECTION.
 */
public final class Rule8Late implements Watcher {
  private static final String RULE = "rule 8 (late)";

  private final Ledger ledger;
  private final Set<Long> accepted = new HashSet<>();
  private final Map<Long, Integer> epochs = new HashMap<>();
  private final Set<Integer> endedLanes = new HashSet<>();

  /** The connections released in this step, with their last lane. */
  private final Map<Long, Integer> released = new HashMap<>();

  private int unknownFrames;
  private int unknownCloses;

  public Rule8Late(Ledger ledger) {
    this.ledger = ledger;
  }

  @Override
  public void onAccepted(long connection) {
    require(accepted.add(connection), RULE, "a mark was given twice", connection);
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    require(
        accepted.contains(connection), RULE, "Open for an unknown connection", connection, epoch);
    require(
        epoch == epochs.merge(connection, 0, (before, _) -> before + 1),
        RULE,
        "Open with a wrong epoch",
        connection,
        epoch);
    require(
        (left == null) == (epoch == 0),
        RULE,
        "resume state must be in every Open but the first",
        connection,
        epoch);
    require(ledger.lane(connection) == -1, RULE, "two owners at once", connection);
    live(lane);
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    owned(lane, connection, epoch, "data");
  }

  @Override
  public void onLimit(int lane, long connection, int epoch, long limit) {
    owned(lane, connection, epoch, "limit");
  }

  @Override
  public void onHalfClose(int lane, long connection, int epoch, long offset) {
    owned(lane, connection, epoch, "HalfClose");
  }

  @Override
  public void onRelease(int lane, long connection, int epoch) {
    owned(lane, connection, epoch, "Release");
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    if (isJustReleased(lane, connection, epoch, reason)) {
      live(lane);
    } else if (accepted.contains(connection)) {
      owned(lane, connection, epoch, "Close(" + reason + ")");
    } else {
      live(lane);
      require(
          reason.equals("UNKNOWN_CONNECTION"),
          RULE,
          "an unknown connection was closed with " + reason,
          connection);
      unknownCloses++;
    }
  }

  /**
   * Whether the owner has just released the connection. The commit with its Released may also
   * complete the connection, and the bridge then sends that owner a Close.
   */
  private boolean isJustReleased(int lane, long connection, int epoch, String reason) {
    boolean isEnd = reason.equals("DONE") || reason.equals("CONNECTION_AGE");
    return isEnd
        && Objects.equals(released.get(connection), lane)
        && ledger.epoch(connection) == epoch;
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (how == Leaving.RELEASED) {
      released.put(connection, ledger.lane(connection));
    }
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    long connection = frame.connection();
    if (!accepted.contains(connection) && !endedLanes.contains(lane)) {
      unknownFrames += frame.close() == 0 && connection != 0 ? 1 : 0;
    }
  }

  @Override
  public void onLaneEnd(int lane) {
    endedLanes.add(lane);
  }

  @Override
  public void onStepEnd(long heldBytes) {
    released.clear();
    require(
        unknownFrames == unknownCloses,
        RULE,
        "every frame for an unknown connection must be refused",
        unknownFrames,
        unknownCloses);
  }

  private void owned(int lane, long connection, int epoch, String what) {
    require(
        ledger.lane(connection) == lane && ledger.epoch(connection) == epoch,
        RULE,
        what + " for something that is not attached there",
        connection,
        lane,
        epoch);
    live(lane);
  }

  private void live(int lane) {
    require(!endedLanes.contains(lane), RULE, "a frame on a lane that is over", lane);
  }
}
