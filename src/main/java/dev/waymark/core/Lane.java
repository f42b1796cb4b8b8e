package dev.waymark.core;

import dev.waymark.core.PoolOptions.Acknowledge;
import dev.waymark.core.UpstreamControl.Draining;
import dev.waymark.core.UpstreamControl.Load;
import dev.waymark.core.UpstreamControl.Pong;
import dev.waymark.core.UpstreamControl.Push;
import dev.waymark.core.UpstreamControl.Released;
import dev.waymark.core.UpstreamControl.Settings;
import io.netty.buffer.ByteBuf;
import java.util.LinkedHashSet;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One Attach call between a shard and an upstream: carries frames of many connections. Confined to
 * its shard's thread; the edge calls {@link #onReady}, {@link #onFrame} and {@link #onBroken}.
 */
public final class Lane implements Balancer.Candidate {
  /**
   * Answers to frames for unknown connections and to pushes that may wait while the transport takes
   * no more.
   */
  static final int UNREAD_ANSWERS_MAX = 10_000;

  /** Fewer connections than this may have stalled because of what they sent. */
  private static final int STALLED_MIN = 3;

  private enum Phase {
    /** The call is not established; to OPEN or BROKEN. */
    CONNECTING,
    /** Frames may travel; to BROKEN or FINISHED. */
    OPEN,
    /** It failed; the pool opens another. */
    BROKEN,
    /** The bridge no longer needs it. */
    FINISHED
  }

  private enum Mode {
    /** Nothing has come yet; to one of the others. */
    UNKNOWN,
    /** Settings came: windows, credit and clocks hold. */
    ACKNOWLEDGING,
    /** Something else came first, or nothing for too long (rule 5). */
    PLAIN
  }

  private final ShardPool pool;
  private final Shard shard;
  private final Counters counters;
  private final LaneTransport transport;
  private final LaneClock clock;
  private final boolean hasAcknowledged;
  private final LinkedHashSet<Connection> stalled = new LinkedHashSet<>();

  private UpstreamView upstream;
  private Phase phase = Phase.CONNECTING;
  private Mode mode = Mode.UNKNOWN;
  private int windowBytes;
  private boolean isWritable;
  private boolean isFlushDue;
  private boolean isDraining;
  private int connectionCount;
  private int leavingCount;
  private int comingCount;
  private boolean isHeldBack;
  private int stalledCount;
  private long lastStalledNs;
  private int unreadAnswers;
  private long pingId;
  private @Nullable Announcer announcer;

  /**
   * @param hasAcknowledged the upstream did so before, and is given nothing until it says Settings
   *     again: a process that is stopped takes calls as well
   */
  Lane(
      long nowNs,
      ShardPool pool,
      Shard shard,
      UpstreamView upstream,
      Counters counters,
      boolean hasAcknowledged) {
    this.hasAcknowledged = hasAcknowledged;
    this.pool = pool;
    this.shard = shard;
    this.upstream = upstream;
    this.counters = counters;
    this.clock = new LaneClock(nowNs, shard.limits());
    this.windowBytes = shard.limits().initialWindowBytes();
    this.transport = shard.environment().connect(this);
  }

  // --- inputs from the edge ---

  /** The transport is established, or takes more after it took no more. */
  public void onReady(long nowNs) {
    switch (phase) {
      case CONNECTING -> {
        phase = Phase.OPEN;
        clock.onOpen(nowNs);
        isWritable = true;
        counters.add(Counter.LANES_OPENED, 1);
        transport.hello(pool.hello());
        sent(1);
        if (pool.options().acknowledge() == Acknowledge.NEVER) {
          become(nowNs, Mode.PLAIN, Integer.MAX_VALUE);
        }
        pool.onLaneOpen(nowNs, this);
      }
      case OPEN -> {
        isWritable = true;
        pool.onLaneWritable(nowNs);
        resumeStalled(nowNs);
        shard.announceAtTurnEnd();
      }
      case BROKEN, FINISHED -> {}
    }
  }

  /** A frame from the upstream; valid only during the call. */
  public void onFrame(long nowNs, UpstreamFrame frame) {
    if (phase != Phase.OPEN) {
      return;
    }
    counters.add(Counter.FRAMES_RECEIVED, 1);
    clock.onReceived(nowNs);
    UpstreamControl control = frame.control();
    if (mode == Mode.UNKNOWN
        && !(control instanceof Settings)
        && pool.options().acknowledge() == Acknowledge.AUTO) {
      become(nowNs, Mode.PLAIN, Integer.MAX_VALUE);
    }
    if (control == null || control instanceof Released) {
      onConnectionFrame(nowNs, frame);
    } else {
      onControl(nowNs, control);
    }
  }

  /**
   * The call ended, however (rule 3), or what came on it cannot be read.
   *
   * @param cause for people
   */
  public void onBroken(long nowNs, String cause) {
    breakWith(nowNs, cause, CloseReason.UPSTREAM_LOST);
  }

  // --- inputs from connections ---

  void open(Connection connection, Open open) {
    connectionCount++;
    counters.add(Counter.CONNECTIONS_ATTACHED, 1);
    pool.onAttached(connection, this);
    transport.open(connection.sequence(), connection.epoch(), open);
    sent(1);
  }

  void data(Connection connection, long offset, ByteBuf owned, boolean isLast, long limit) {
    counters.add(Counter.UPSTREAM_SENT_BYTES, owned.readableBytes());
    transport.data(connection.sequence(), connection.epoch(), offset, owned, isLast, limit);
    sent(1);
  }

  void limit(Connection connection, long limit) {
    transport.limit(connection.sequence(), connection.epoch(), limit);
    sent(1);
  }

  void halfClose(Connection connection, long offset) {
    transport.halfClose(connection.sequence(), connection.epoch(), offset);
    sent(1);
  }

  /** Asks for the connection back. */
  void release(Connection connection) {
    transport.release(connection.sequence(), connection.epoch());
    sent(1);
  }

  void close(Connection connection, CloseReason reason) {
    if (phase == Phase.OPEN) {
      transport.close(connection.sequence(), connection.epoch(), reason);
      sent(1);
    }
  }

  /** The connection is no longer attached. */
  void detached(Connection connection) {
    connectionCount--;
    counters.add(Counter.CONNECTIONS_DETACHED, 1);
    stalled.remove(connection);
    pool.onDetached(this);
  }

  /** So many more of its connections are on their way to others. */
  void leaving(int change) {
    leavingCount += change;
  }

  /** So many more connections are to come from others. */
  void coming(int change) {
    comingCount += change;
  }

  /**
   * A connection was taken from it because it showed no sign of work. More than half of those that
   * wait for it: it is not the connection that is to blame (rule 7).
   */
  void onStalled(long nowNs) {
    long memoryNs = pool.options().moving().progressTimeoutNs();
    stalledCount = nowNs - lastStalledNs > memoryNs ? 1 : stalledCount + 1;
    lastStalledNs = nowNs;
    if (stalledCount >= STALLED_MIN) {
      int[] waiting = new int[1];
      shard.forEachOn(this, connection -> waiting[0] += connection.isAwaitingOwner() ? 1 : 0);
      if (stalledCount > waiting[0]) {
        stalledCount = 0;
        suspect(Suspicion.STALLED);
      }
    }
  }

  /** Something speaks against the upstream. */
  void suspect(Suspicion why) {
    pool.suspect(this, why);
  }

  /** The connection has bytes, and the transport takes no more: it is called when it does. */
  void stall(Connection connection) {
    stalled.add(connection);
  }

  /**
   * A connection has filled its window: if this is still the initial one, the upstream has so long
   * to say Settings.
   */
  void onWindowFull(long nowNs) {
    boolean isUndecided = mode == Mode.UNKNOWN && pool.options().acknowledge() == Acknowledge.AUTO;
    if (isUndecided) {
      clock.awaitSettings(nowNs);
    }
  }

  // --- inputs from the shard ---

  /** Sends the turn's frames. */
  void flush() {
    isFlushDue = false;
    if (phase != Phase.OPEN) {
      return;
    }
    if (transport.batchBytes() > 0) {
      counters.add(Counter.BATCHES_SENT, 1);
    }
    boolean wasWritable = isWritable;
    isWritable = transport.flush();
    if (wasWritable && !isWritable) {
      counters.add(Counter.LANE_STALLS, 1);
      pool.onLaneFull(this);
    }
  }

  /** Another weight or health; the address is the same. */
  void onUpstreamChanged(UpstreamView view) {
    upstream = view;
  }

  /** Looks at the clocks (rules 5 and 7). */
  void onTick(long nowNs) {
    breakIfUnread(nowNs);
    if (phase == Phase.CONNECTING && clock.isNotEstablished(nowNs)) {
      transport.cancel("not established in time");
      breakWith(nowNs, "not established in time", CloseReason.UPSTREAM_LOST);
    }
    if (phase != Phase.OPEN) {
      return;
    }
    boolean isNever = pool.options().acknowledge() == Acknowledge.NEVER;
    if (mode == Mode.UNKNOWN && (isNever || clock.isSettingsOverdue(nowNs))) {
      become(nowNs, Mode.PLAIN, Integer.MAX_VALUE);
    }
    if (mode == Mode.ACKNOWLEDGING) {
      checkSilence(nowNs);
    } else if (isUnproven() && clock.isProofOverdue(nowNs) && isWithoutPlainConnections()) {
      transport.cancel("no Settings");
      breakWith(nowNs, "it took the call and did not say Settings", CloseReason.UPSTREAM_LOST);
    }
  }

  /**
   * Its pool follows a leader, which this is not any more, or again: no client bytes go to it (rule
   * 6).
   */
  void holdBack(long nowNs, boolean isHeld) {
    if (isHeld == isHeldBack) {
      return;
    }
    isHeldBack = isHeld;
    shard.forEachOn(this, connection -> connection.onLaneChanged(nowNs));
  }

  /** The upstream is no longer wanted and has no connections here. */
  void finish() {
    stopAnnouncing();
    if (phase == Phase.OPEN) {
      phase = Phase.FINISHED;
      counters.add(Counter.LANES_FINISHED, 1);
      transport.finish();
    } else if (phase == Phase.CONNECTING) {
      phase = Phase.FINISHED;
      transport.cancel("no longer needed");
    }
  }

  // --- outputs ---

  @Override
  public UpstreamView upstream() {
    return upstream;
  }

  /** The pool for which the lane was opened. */
  public String poolName() {
    return pool.options().name();
  }

  Counters counters() {
    return counters;
  }

  /** Something came on it, and that long has passed since it was made. */
  boolean hasWorkedFor(long nowNs, long leastNs) {
    return clock.hasWorkedFor(nowNs, leastNs);
  }

  /** For what is sent with {@link #sent} behind it; only while the lane is writable. */
  LaneTransport transport() {
    return transport;
  }

  boolean isOpen() {
    return phase == Phase.OPEN;
  }

  boolean isBroken() {
    return phase == Phase.BROKEN;
  }

  /** New connections may be given to it, as far as the lane is concerned. */
  boolean isTakingConnections() {
    return phase == Phase.OPEN && !isDraining && !isUnproven();
  }

  /** It said that it wants no new connections. */
  boolean isDraining() {
    return isDraining;
  }

  boolean isHeldBack() {
    return isHeldBack;
  }

  /** It is given nothing until it says Settings. */
  private boolean isUnproven() {
    return mode != Mode.ACKNOWLEDGING
        && switch (pool.options().acknowledge()) {
          case AUTO -> hasAcknowledged;
          case REQUIRED -> true;
          case NEVER -> false;
        };
  }

  boolean isWritable() {
    return isWritable;
  }

  boolean isAcknowledging() {
    return mode == Mode.ACKNOWLEDGING;
  }

  boolean isNeverAcknowledging() {
    return mode == Mode.PLAIN;
  }

  /** Of each connection, as of now. */
  int windowBytes() {
    return windowBytes;
  }

  int connectionCount() {
    return connectionCount;
  }

  /** How many it will have when all hand-overs that are under way have ended. */
  int expectedCount() {
    return connectionCount - leavingCount + comingCount;
  }

  /** Of its connections, those that are not on their way to others. */
  int stayingCount() {
    return connectionCount - leavingCount;
  }

  LaneStatus status() {
    return new LaneStatus(
        poolName(),
        upstream.address(),
        isOpen(),
        isDraining,
        mode.name().toLowerCase(Locale.ROOT),
        connectionCount);
  }

  // --- transitions ---

  private void onConnectionFrame(long nowNs, UpstreamFrame frame) {
    Connection connection = shard.connection(frame.connection());
    if (connection != null) {
      counters.add(Counter.UPSTREAM_RECEIVED_BYTES, frame.payload().readableBytes());
      connection.onFrame(nowNs, this, frame);
    } else if (shard.hasEverBeen(frame.connection())) {
      counters.add(Counter.FRAMES_FENCED, 1);
    } else {
      counters.add(Counter.FRAMES_UNKNOWN, 1);
      // A Close is never answered (rule 8), and 0 is the lane: an upstream that echoes every frame
      // would be answered for ever.
      if (frame.close() == 0 && frame.connection() != 0) {
        transport.close(frame.connection(), frame.epoch(), CloseReason.UNKNOWN_CONNECTION);
        answered();
        breakIfUnread(nowNs);
      }
    }
  }

  private void onControl(long nowNs, UpstreamControl control) {
    switch (control) {
      case Settings settings -> onSettings(nowNs, settings);
      case Draining _ -> {
        if (!isDraining) {
          isDraining = true;
          pool.onLaneDraining(nowNs, this);
        }
      }
      case Push push -> {
        shard.pushes().push(nowNs, poolName(), push, this::onPushResult);
        breakIfUnread(nowNs);
      }
      // Load is for balancing by load, Released belongs to a connection, Pong was noted above.
      case Load _, Released _, Pong _ -> {}
    }
  }

  /** May come long after the push, and from within what happens to another lane. */
  private void onPushResult(PushResult result) {
    counters.addPush(result.outcome());
    if (phase == Phase.OPEN) {
      transport.pushResult(result);
      answered();
    }
  }

  private void answered() {
    sent(1);
    unreadAnswers = isWritable ? 0 : unreadAnswers + 1;
  }

  /** An upstream that asks and does not read would have its answers pile up. */
  private void breakIfUnread(long nowNs) {
    if (phase == Phase.OPEN && unreadAnswers > UNREAD_ANSWERS_MAX) {
      String cause = "it does not read the answers to what it sends";
      transport.cancel(cause);
      breakWith(nowNs, cause, CloseReason.UPSTREAM_LOST);
    }
  }

  private void onSettings(long nowNs, Settings settings) {
    if (pool.options().acknowledge() == Acknowledge.NEVER) {
      return;
    }
    if (mode == Mode.PLAIN) {
      transport.cancel("SETTINGS_LATE");
      breakWith(nowNs, "Settings came after other frames", CloseReason.SETTINGS_LATE);
      return;
    }
    int own = shard.limits().windowBytes();
    int asked = settings.windowBytes();
    become(nowNs, Mode.ACKNOWLEDGING, asked <= 0 ? own : Math.min(own, asked));
    if (settings.isAnnouncementsWanted() && announcer == null) {
      announcer = new Announcer(this, shard);
      shard.announcements().add(announcer);
      shard.announceAtTurnEnd();
    }
  }

  private void become(long nowNs, Mode next, int nextWindowBytes) {
    mode = next;
    windowBytes = nextWindowBytes;
    shard.forEachOn(this, connection -> connection.onLaneDecided(nowNs));
    pool.onLaneWritable(nowNs);
  }

  private void checkSilence(long nowNs) {
    if (clock.isPingOverdue(nowNs)) {
      transport.cancel("silent");
      long timeoutMs = shard.limits().laneTimeoutNs() / 1_000_000;
      breakWith(
          nowNs, "nothing came for " + timeoutMs + " ms after a Ping", CloseReason.UPSTREAM_LOST);
    } else if (clock.isPingDue(nowNs)) {
      clock.onPing(nowNs);
      transport.ping(++pingId);
      sent(1);
    }
  }

  /** After a reload they may go on as they began; nobody joins them. */
  private boolean isWithoutPlainConnections() {
    return mode == Mode.UNKNOWN || connectionCount == 0;
  }

  private void breakWith(long nowNs, String cause, CloseReason reason) {
    if (phase == Phase.BROKEN || phase == Phase.FINISHED) {
      return;
    }
    boolean wasOpen = phase == Phase.OPEN;
    phase = Phase.BROKEN;
    isWritable = false;
    stalled.clear();
    stopAnnouncing();
    int connections = connectionCount;
    if (wasOpen) {
      counters.add(Counter.LANES_BROKEN, 1);
    }
    // First of all: those that it loses are given to others.
    pool.notEligible(this);
    shard.forEachOn(this, connection -> connection.onLaneLost(nowNs, reason));
    pool.onLaneBroken(nowNs, this, cause, wasOpen, connections);
  }

  private void stopAnnouncing() {
    if (announcer != null) {
      shard.announcements().remove(announcer);
    }
  }

  private void resumeStalled(long nowNs) {
    for (int left = stalled.size(); left > 0 && isWritable && !stalled.isEmpty(); left--) {
      stalled.removeFirst().onLaneChanged(nowNs);
    }
  }

  /** So many frames were given to the transport. */
  void sent(int frames) {
    counters.add(Counter.FRAMES_SENT, frames);
    if (transport.batchBytes() >= shard.limits().batchBytesMax()) {
      flush();
    } else if (!isFlushDue) {
      isFlushDue = true;
      shard.flushAtTurnEnd(this);
    }
  }
}
