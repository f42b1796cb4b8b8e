package dev.waymark.sim.checkers;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who owns each connection, and which commits took effect: what the rules have in common. It hears
 * of everything after the rules have, which find in it how things stood before.
 */
public final class Ledger implements Watcher {
  /** One connection. */
  private static final class Entry {
    int lane = -1;
    int epoch = -1;
    long sent;
    long consumed;
    boolean isReleasing;
    boolean isHolding;
    long heldBytes;
    long heldConsumed = -1;
    byte @Nullable [] heldContext;
    boolean isHeldEnd;
    int heldClose;
    boolean isUpstreamEnded;
    boolean isFinished;
    boolean isOver;

    void dropHeld() {
      isHolding = false;
      heldBytes = 0;
      heldConsumed = -1;
      heldContext = null;
      isHeldEnd = false;
      heldClose = 0;
    }

    /** Nothing of it takes effect, and the connection ends. */
    boolean isBrokenBy(UpstreamEvent frame) {
      boolean isAfterEnd = isUpstreamEnded && frame.bytes() > 0;
      boolean isUnasked = !isReleasing || frame.more() || frame.close() != 0;
      return isAfterEnd || frame.consumed() > sent || (frame.isReleased() && isUnasked);
    }

    void hold(UpstreamEvent frame) {
      isHolding = true;
      heldBytes += frame.bytes();
      heldConsumed = Math.max(heldConsumed, frame.consumed());
      heldContext = frame.context() == null ? heldContext : frame.context();
      isHeldEnd |= frame.halfClose();
      heldClose = frame.close() == 0 ? heldClose : frame.close();
    }
  }

  private final boolean isResumingAtMostOnce;
  private final boolean isSettingsRequired;
  private final Map<Long, Entry> entries = new HashMap<>();
  private final Set<Integer> settled = new HashSet<>();
  private final Set<Integer> plain = new HashSet<>();
  private List<Watcher> rules = List.of();

  /**
   * @param isResumingAtMostOnce connections of lanes without Settings go on elsewhere when it is
   *     lost
   * @param isSettingsRequired no lane counts as one without
   */
  public Ledger(boolean isResumingAtMostOnce, boolean isSettingsRequired) {
    this.isResumingAtMostOnce = isResumingAtMostOnce;
    this.isSettingsRequired = isSettingsRequired;
  }

  /** Those that are told what it concludes. */
  public void rules(List<Watcher> told) {
    rules = List.copyOf(told);
  }

  // --- what is asked of it ---

  /** The connection may be served, or waits for an owner. */
  public boolean isLive(long connection) {
    Entry entry = entries.get(connection);
    return entry != null && !entry.isOver;
  }

  /** -1: nobody owns it. */
  public int lane(long connection) {
    Entry entry = entries.get(connection);
    return entry == null ? -1 : entry.lane;
  }

  /** -1: it was never attached. */
  public int epoch(long connection) {
    Entry entry = entries.get(connection);
    return entry == null ? -1 : entry.epoch;
  }

  /** This frame on this lane is of the present attachment. */
  public boolean isOwners(int lane, UpstreamEvent frame) {
    Entry entry = entries.get(frame.connection());
    return entry != null && lane != -1 && entry.lane == lane && entry.epoch == frame.epoch();
  }

  /** Release was sent in the present epoch. */
  public boolean isReleasing(long connection) {
    return entry(connection).isReleasing;
  }

  /** Client bytes that the present owner has been sent, or a former one has consumed. */
  public long sent(long connection) {
    return entry(connection).sent;
  }

  /** What the owners are done with. */
  public long consumed(long connection) {
    return entry(connection).consumed;
  }

  /** Reply bytes of an unfinished commit. */
  public long heldBytes(long connection) {
    return entry(connection).heldBytes;
  }

  /** The end of a commit is awaited. */
  public boolean isHolding(long connection) {
    return entry(connection).isHolding;
  }

  /** The owner, or one before it, has ended the replies. */
  public boolean isReplyEnded(long connection) {
    return entry(connection).isUpstreamEnded;
  }

  /** Settings came on this lane. */
  public boolean isAcknowledging(int lane) {
    return settled.contains(lane);
  }

  /** Settings are to come on this lane before anything is given to it. */
  boolean isUnproven(int lane) {
    return isSettingsRequired && !settled.contains(lane);
  }

  public boolean isAtMostOnce(int lane) {
    return plain.contains(lane);
  }

  /** Connections that are not closed. */
  public Set<Long> connections() {
    return entries.keySet();
  }

  private Entry entry(long connection) {
    return Objects.requireNonNull(entries.get(connection));
  }

  // --- what it hears ---

  @Override
  public void onAccepted(long connection) {
    entries.put(connection, new Entry());
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    Entry entry = entry(connection);
    entry.lane = lane;
    entry.epoch = epoch;
    entry.isReleasing = false;
    entry.dropHeld();
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    Entry entry = entry(connection);
    entry.sent = offset + bytes.length;
    entry.consumed = plain.contains(lane) ? Math.max(entry.consumed, entry.sent) : entry.consumed;
  }

  @Override
  public void onRelease(int lane, long connection, int epoch) {
    entry(connection).isReleasing = true;
  }

  @Override
  public void onSettings(int lane, int windowBytes) {
    if (!plain.contains(lane)) {
      settled.add(lane);
    }
  }

  @Override
  public void onAtMostOnce(int lane) {
    if (plain.add(lane)) {
      entries.values().stream()
          .filter(entry -> entry.lane == lane)
          .forEach(entry -> entry.consumed = Math.max(entry.consumed, entry.sent));
    }
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    if (!settled.contains(lane) && !isSettingsRequired) {
      onAtMostOnce(lane);
    }
    Entry entry = entries.get(frame.connection());
    if (entry == null || !isOwners(lane, frame)) {
      return;
    }
    boolean isBroken = entry.isBrokenBy(frame);
    if (isBroken && !frame.more() && (frame.close() != 0 || entry.heldClose != 0)) {
      // A Close is not answered, so this is all that is seen of the end.
      left(frame.connection(), entry, Leaving.ENDED);
    } else if (!isBroken) {
      entry.hold(frame);
      if (!frame.more()) {
        commit(lane, frame, entry);
      }
    }
  }

  private void commit(int lane, UpstreamEvent frame, Entry entry) {
    Commit commit =
        new Commit(
            frame.connection(),
            entry.heldBytes,
            Math.min(entry.sent, entry.heldConsumed),
            entry.heldContext,
            entry.isHeldEnd,
            entry.heldConsumed >= 0 || plain.contains(lane));
    rules.forEach(rule -> rule.onCommit(commit));
    int close = entry.heldClose;
    entry.consumed = Math.max(entry.consumed, commit.consumed());
    entry.isUpstreamEnded |= commit.isEnd();
    entry.dropHeld();
    if (close != 0) {
      boolean isRefusal = CloseReason.ofWireCode(close).isRefusal();
      left(frame.connection(), entry, isRefusal && goesOn(lane) ? Leaving.REFUSED : Leaving.ENDED);
    } else if (frame.isReleased() && entry.isReleasing) {
      left(frame.connection(), entry, Leaving.RELEASED);
    }
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    Entry entry = entries.get(connection);
    if (entry != null && entry.lane == lane) {
      left(connection, entry, reason.equals("FENCED") ? Leaving.FENCED : Leaving.ENDED);
    }
  }

  @Override
  public void onLaneEnd(int lane) {
    for (Map.Entry<Long, Entry> each : new ArrayList<>(entries.entrySet())) {
      if (each.getValue().lane == lane) {
        left(each.getKey(), each.getValue(), goesOn(lane) ? Leaving.LOST : Leaving.ENDED);
      }
    }
  }

  @Override
  public void onSocketFinish(long connection) {
    Entry entry = entry(connection);
    // The first FIN may be the upstream's half-close.
    if (!entry.isUpstreamEnded || entry.isFinished) {
      ended(connection, entry);
    }
    entry.isFinished = true;
  }

  @Override
  public void onSocketEnded(long connection, boolean isReset) {
    Entry entry = entries.get(connection);
    if (entry != null) {
      ended(connection, entry);
    }
  }

  @Override
  public void onSocketClosed(long connection) {
    entries.remove(connection);
  }

  private void ended(long connection, Entry entry) {
    if (!entry.isOver) {
      left(connection, entry, Leaving.ENDED);
    }
  }

  private boolean goesOn(int lane) {
    return isResumingAtMostOnce || !plain.contains(lane);
  }

  private void left(long connection, Entry entry, Leaving how) {
    rules.forEach(rule -> rule.onLeft(connection, how));
    entry.lane = -1;
    entry.isReleasing = false;
    entry.dropHeld();
    entry.sent = entry.consumed;
    entry.isOver |= how == Leaving.ENDED;
  }
}
