package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.core.Reopen;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Late and unknown things: nothing after a Close, no Close answered, unknown connections are
 * refused, known ones never.
 */
public final class Rule8Late implements Watcher {
  private static final String RULE = "rule 8 (late)";

  private enum Attachment {
    OPEN,
    /** Release was sent: no data, no FIN. */
    RELEASING,
    /** The bridge or the upstream has sent Close, or the lane broke. */
    OVER
  }

  private final Set<Long> accepted = new HashSet<>();
  private final Map<Long, Attachment> attachments = new HashMap<>();
  private final Map<Long, Integer> owners = new HashMap<>();
  private final Map<Long, Integer> epochs = new HashMap<>();
  private final Map<Long, Boolean> heldClose = new HashMap<>();
  private final Set<Integer> endedLanes = new HashSet<>();
  private int unknownFrames;
  private int unknownCloses;

  @Override
  public void onAccepted(long connection) {
    require(accepted.add(connection), RULE, "a mark given twice", connection);
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable Reopen left) {
    require(accepted.contains(connection), RULE, "Open of what is not there", connection, epoch);
    require(
        epoch == epochs.merge(connection, 0, (before, _) -> before + 1),
        RULE,
        "an Open that is not the next epoch's",
        connection,
        epoch);
    require((left == null) == (epoch == 0), RULE, "facts of a former owner", connection, epoch);
    require(
        attachments.getOrDefault(connection, Attachment.OVER) == Attachment.OVER,
        RULE,
        "two owners at once",
        connection);
    attachments.put(connection, Attachment.OPEN);
    owners.put(connection, lane);
    heldClose.remove(connection);
    live(lane);
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    attached(lane, connection, epoch, "data");
  }

  @Override
  public void onLimit(int lane, long connection, int epoch, long limit) {
    owned(lane, connection, epoch, "limit");
  }

  @Override
  public void onHalfClose(int lane, long connection, int epoch, long offset) {
    attached(lane, connection, epoch, "HalfClose");
  }

  @Override
  public void onRelease(int lane, long connection, int epoch) {
    attached(lane, connection, epoch, "Release");
    attachments.put(connection, Attachment.RELEASING);
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    if (accepted.contains(connection)) {
      owned(lane, connection, epoch, "Close(" + reason + ")");
      attachments.put(connection, Attachment.OVER);
    } else {
      live(lane);
      require(
          reason.equals("UNKNOWN_CONNECTION"),
          RULE,
          "an unknown connection refused with " + reason,
          connection);
      unknownCloses++;
    }
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    long connection = frame.connection();
    if (!accepted.contains(connection)) {
      unknownFrames += frame.close() == 0 && connection != 0 ? 1 : 0;
    } else if (Integer.valueOf(lane).equals(owners.get(connection))
        && epochs.get(connection) == frame.epoch()) {
      boolean isClose = heldClose.merge(connection, frame.close() != 0, Boolean::logicalOr);
      if (frame.isReleased() || (!frame.more() && isClose)) {
        attachments.put(connection, Attachment.OVER);
      }
    }
  }

  @Override
  public void onLaneEnd(int lane) {
    endedLanes.add(lane);
    owners.forEach((connection, owner) -> {
      if (owner == lane) {
        attachments.put(connection, Attachment.OVER);
      }
    });
  }

  @Override
  public void onStepEnd(long heldBytes) {
    require(
        unknownFrames == unknownCloses,
        RULE,
        "each frame for an unknown connection is refused",
        unknownFrames,
        unknownCloses);
  }

  private void attached(int lane, long connection, int epoch, String what) {
    require(
        attachments.get(connection) != Attachment.RELEASING,
        RULE,
        what + " after Release",
        connection,
        lane,
        epoch);
    owned(lane, connection, epoch, what);
  }

  private void owned(int lane, long connection, int epoch, String what) {
    boolean isAttached =
        attachments.getOrDefault(connection, Attachment.OVER) != Attachment.OVER
            && owners.get(connection) == lane;
    require(
        isAttached && epochs.get(connection) == epoch,
        RULE,
        what + " without an attachment",
        connection,
        lane,
        epoch);
    live(lane);
  }

  private void live(int lane) {
    require(!endedLanes.contains(lane), RULE, "a frame on a lane that is over", lane);
  }
}
