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
 * The state that the rules share: who owns each connection, and which commits took effect. It is
 * told of an event after the rules, so that they still see the state before the event. From the raw
 * events it derives {@link Watcher#onCommit} and {@link Watcher#onLeft} for the rules.
 */
public final class Ledger implements Watcher {
  /** The state of one connection. */
  private static final class Entry {
    int lane = -1;
    int epoch = -1;
    long sent;
    long consumed;
    boolean isReleasing;

    /** Whether an owner to which it is pinned has begun a session. */
    boolean isBegun;

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

    /** Whether this frame is a violation: it has no effect, and the connection ends. */
    boolean isViolatedBy(UpstreamEvent frame) {
      boolean isAfterEnd = isUpstreamEnded && frame.bytes() > 0;
      boolean isUnexpected = !isReleasing || frame.more() || frame.close() != 0;
      return isAfterEnd || frame.consumed() > sent || (frame.isReleased() && isUnexpected);
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
  private final Set<Integer> acknowledging = new HashSet<>();
  private final Set<Integer> atMostOnce = new HashSet<>();
  private final Set<Integer> pinned = new HashSet<>();
  private List<Watcher> rules = List.of();

  /**
   * @param isResumingAtMostOnce whether connections of a lost at-most-once lane continue elsewhere
   * @param isSettingsRequired whether no lane may become at-most-once
   */
  public Ledger(boolean isResumingAtMostOnce, boolean isSettingsRequired) {
    this.isResumingAtMostOnce = isResumingAtMostOnce;
    this.isSettingsRequired = isSettingsRequired;
  }

  /** Sets the rules that are told of commits and of lost owners. */
  public void rules(List<Watcher> listeners) {
    rules = List.copyOf(listeners);
  }

  // --- queries ---

  /** Whether the connection is attached or waits for an owner. */
  public boolean isLive(long connection) {
    Entry entry = entries.get(connection);
    return entry != null && !entry.isOver;
  }

  /** The lane of the owner, or -1 if there is none. */
  public int lane(long connection) {
    Entry entry = entries.get(connection);
    return entry == null ? -1 : entry.lane;
  }

  /** The last epoch, or -1 if the connection was never attached. */
  public int epoch(long connection) {
    Entry entry = entries.get(connection);
    return entry == null ? -1 : entry.epoch;
  }

  /** Whether this frame on this lane belongs to the current attachment. */
  public boolean isFromOwner(int lane, UpstreamEvent frame) {
    Entry entry = entries.get(frame.connection());
    return entry != null && lane != -1 && entry.lane == lane && entry.epoch == frame.epoch();
  }

  /** Whether Release was sent in the current epoch. */
  public boolean isReleasing(long connection) {
    return entry(connection).isReleasing;
  }

  /** The offset up to which client bytes were sent to the current owner or consumed before. */
  public long sent(long connection) {
    return entry(connection).sent;
  }

  /** The offset up to which owners have consumed client bytes. */
  public long consumed(long connection) {
    return entry(connection).consumed;
  }

  /** The reply bytes of the unfinished commit. */
  public long heldBytes(long connection) {
    return entry(connection).heldBytes;
  }

  /** Whether a commit is unfinished. */
  public boolean isHolding(long connection) {
    return entry(connection).isHolding;
  }

  /** Whether any owner has ended the replies. */
  public boolean hasEndedReplies(long connection) {
    return entry(connection).isUpstreamEnded;
  }

  /** Whether Settings came on this lane in time. */
  public boolean isAcknowledging(int lane) {
    return acknowledging.contains(lane);
  }

  /** Whether this lane must not get connections before its Settings come. */
  boolean isAwaitingSettings(int lane) {
    return isSettingsRequired && !acknowledging.contains(lane);
  }

  public boolean isAtMostOnce(int lane) {
    return atMostOnce.contains(lane);
  }

  /** Whether connections are pinned to the upstream of this lane. */
  public boolean isPinned(int lane) {
    return pinned.contains(lane);
  }

  /** Whether what the owner was sent is not kept: it has begun a session that nobody resumes. */
  boolean isForgetting(long connection) {
    return entry(connection).isBegun;
  }

  /** The connections whose socket is not closed. */
  public Set<Long> connections() {
    return entries.keySet();
  }

  private Entry entry(long connection) {
    return Objects.requireNonNull(entries.get(connection));
  }

  // --- Watcher ---

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
    entry.consumed =
        atMostOnce.contains(lane) ? Math.max(entry.consumed, entry.sent) : entry.consumed;
  }

  @Override
  public void onRelease(int lane, long connection, int epoch) {
    entry(connection).isReleasing = true;
  }

  @Override
  public void onSettings(int lane, int windowBytes) {
    if (!atMostOnce.contains(lane)) {
      acknowledging.add(lane);
    }
  }

  @Override
  public void onPinned(int lane) {
    if (!atMostOnce.contains(lane)) {
      pinned.add(lane);
    }
  }

  @Override
  public void onAtMostOnce(int lane) {
    if (atMostOnce.add(lane)) {
      entries.values().stream()
          .filter(entry -> entry.lane == lane)
          .forEach(entry -> entry.consumed = Math.max(entry.consumed, entry.sent));
    }
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    if (!acknowledging.contains(lane) && !isSettingsRequired) {
      onAtMostOnce(lane);
    }
    Entry entry = entries.get(frame.connection());
    if (entry == null || !isFromOwner(lane, frame)) {
      return;
    }
    boolean isViolated = entry.isViolatedBy(frame);
    if (isViolated && !frame.more() && (frame.close() != 0 || entry.heldClose != 0)) {
      // The bridge does not answer a Close: there will be no other sign of the end.
      left(frame.connection(), entry, Leaving.ENDED);
    } else if (!isViolated) {
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
            entry.heldConsumed >= 0 || atMostOnce.contains(lane) || isPinned(lane));
    boolean isSign = commit.bytes() > 0 || commit.consumed() > entry.consumed || entry.isHeldEnd;
    entry.isBegun |= isSign && isPinned(lane);
    rules.forEach(rule -> rule.onCommit(commit));
    int close = entry.heldClose;
    entry.consumed = Math.max(entry.consumed, commit.consumed());
    entry.isUpstreamEnded |= commit.isEnd();
    entry.dropHeld();
    if (close != 0) {
      boolean isRefusal = CloseReason.ofWireCode(close).isRefusal();
      left(
          frame.connection(),
          entry,
          isRefusal && isResumableAfterRefusal(lane, entry) ? Leaving.REFUSED : Leaving.ENDED);
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
        left(each.getKey(), each.getValue(), isResumable(lane) ? Leaving.LOST : Leaving.ENDED);
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

  /** Whether connections of this lane continue elsewhere when they lose it. */
  private boolean isResumable(int lane) {
    return !isPinned(lane) && (isResumingAtMostOnce || !atMostOnce.contains(lane));
  }

  private boolean isResumableAfterRefusal(int lane, Entry entry) {
    return isPinned(lane) ? !entry.isBegun : isResumable(lane);
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
