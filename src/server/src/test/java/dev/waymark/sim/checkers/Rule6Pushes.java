package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Pushes (rule 6): each is written whole, at most once, in the order of its sender and only between
 * replies, and is answered once, in time and correctly.
 */
public final class Rule6Pushes implements Watcher {
  private static final String RULE = "rule 6 (pushes)";

  /** Allows for deadlines that fire in ticks of 100 ms. */
  private static final long LATE_NS_MAX = 300_000_000L;

  private static final class Push {
    final int lane;
    final long connection;
    final int bytes;
    final long epoch;
    final long sinceNs;

    /** It came on a lane of another shard: which shard holds it at a given time is unknown. */
    final boolean isForwarded;

    /** Whether the connection had been accepted when the push came. */
    final boolean isKnown;

    boolean isWritten;

    /** Its lane has ended: it will not be answered. */
    boolean isOrphan;

    Push(
        int lane,
        long connection,
        int bytes,
        long epoch,
        long sinceNs,
        boolean isForwarded,
        boolean isKnown) {
      this.lane = lane;
      this.connection = connection;
      this.bytes = bytes;
      this.epoch = epoch;
      this.sinceNs = sinceNs;
      this.isForwarded = isForwarded;
      this.isKnown = isKnown;
    }
  }

  private record Sender(int lane, long connection) {}

  private final Ledger ledger;
  private final long pushWaitNs;
  private final int shards;
  private final Map<Integer, Integer> shardOfLane = new HashMap<>();
  private final Map<Long, Push> pushes = new HashMap<>();
  private final Map<Sender, Long> lastWritten = new HashMap<>();
  private final Map<Long, Long> openReplyBytes = new HashMap<>();
  private final Set<Long> accepted = new HashSet<>();

  /** The connections released or refused in this step. */
  private final Set<Long> released = new HashSet<>();

  private long nowNs;
  private long written;
  private long forwarded;

  public Rule6Pushes(Ledger ledger, long pushWaitNs, int shards) {
    this.ledger = ledger;
    this.shards = shards;
    this.pushWaitNs = pushWaitNs;
  }

  @Override
  public void onTime(long now) {
    nowNs = now;
  }

  @Override
  public void onConnect(int lane, int shard, int upstream) {
    shardOfLane.put(lane, shard);
  }

  @Override
  public void onAccepted(long connection) {
    accepted.add(connection);
  }

  @Override
  public void onCommit(Commit commit) {
    long connection = commit.connection();
    long open = openReplyBytes.getOrDefault(connection, 0L) + commit.bytes();
    openReplyBytes.put(connection, commit.isReplyEnd() ? 0 : open);
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (ledger.isAtMostOnce(ledger.lane(connection))) {
      openReplyBytes.put(connection, 0L);
    }
    if (how == Leaving.RELEASED || how == Leaving.REFUSED) {
      released.add(connection);
    }
  }

  @Override
  public void onPush(int lane, long id, long connection, int bytes, long epoch) {
    boolean isForwarded = shardOfLane.get(lane) != connection % shards;
    boolean isKnown = accepted.contains(connection);
    pushes.put(id, new Push(lane, connection, bytes, epoch, nowNs, isForwarded, isKnown));
  }

  @Override
  public void onPushWritten(long connection, long id, int bytes) {
    Push push = pushes.get(id);
    require(
        push != null && push.connection == connection && push.bytes == bytes && !push.isWritten,
        RULE,
        "written twice, in part, or to another connection",
        connection,
        id);
    require(
        openReplyBytes.getOrDefault(connection, 0L) == 0,
        RULE,
        "written in the middle of a reply",
        connection,
        id);
    long present = (long) ledger.epoch(connection) + (ledger.lane(connection) == -1 ? 1 : 0);
    // The last commit of an epoch may end a reply, and so let a push of that epoch be written.
    boolean isLastOfEpoch = released.contains(connection) && push.epoch == present - 1;
    require(
        push.epoch == -1 || push.epoch == present || isLastOfEpoch,
        RULE,
        "written in another epoch",
        connection,
        id,
        present);
    Long before = lastWritten.put(new Sender(push.lane, connection), id);
    require(before == null || before < id, RULE, "out of order", connection, id);
    push.isWritten = true;
    written++;
    forwarded += push.isForwarded ? 1 : 0;
    if (push.isOrphan) {
      pushes.remove(id);
    }
  }

  @Override
  public void onPushResult(int lane, long id, String outcome) {
    Push push = pushes.remove(id);
    require(
        push != null && push.lane == lane, RULE, "answered twice, or never sent on this lane", id);
    require(push.isWritten == outcome.equals("WRITTEN"), RULE, "a wrong answer: " + outcome, id);
    boolean isCorrect =
        switch (outcome) {
          case "NEVER_EXISTED" -> !push.isKnown;
          case "FENCED" -> push.epoch != -1;
          case "EXPIRED" -> nowNs - push.sinceNs >= pushWaitNs;
          case "FORBIDDEN" -> false;
          default -> true;
        };
    require(isCorrect, RULE, "a wrong answer: " + outcome, id, push.connection);
  }

  @Override
  public void onLaneEnd(int lane) {
    pushes.values().forEach(push -> push.isOrphan |= push.lane == lane);
  }

  @Override
  public void onStepEnd(long heldBytes) {
    released.clear();
    pushes.values().removeIf(push -> push.isOrphan && isLate(push));
    pushes.forEach((id, push) -> require(!isLate(push), RULE, "not answered in time", id));
  }

  private boolean isLate(Push push) {
    return nowNs - push.sinceNs > pushWaitNs + LATE_NS_MAX;
  }

  /** Bytes of pushes that certainly wait for the end of a reply. */
  long waitingBytes() {
    return pushes.values().stream()
        .filter(push -> !push.isOrphan && !push.isWritten && !push.isForwarded)
        .mapToLong(push -> push.bytes)
        .sum();
  }

  /** Bytes of pushes that may wait for the end of a reply, but may also be elsewhere or dropped. */
  long maybeWaitingBytes() {
    return pushes.values().stream()
        .filter(push -> push.isOrphan || (push.isForwarded && !push.isWritten))
        .mapToLong(push -> push.bytes)
        .sum();
  }

  /** How many of the written pushes came on a lane of another shard than their connection's. */
  public long forwarded() {
    return forwarded;
  }

  /** How many pushes were written. */
  public long written() {
    return written;
  }
}
