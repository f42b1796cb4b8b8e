package dev.waymark.engine;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.UpstreamControl.Settings;
import dev.waymark.protocol.UpstreamFrame;

/**
 * One Attach call between a shard and an upstream: carries frames of many connections. What it
 * sends is in {@link LaneSender}, where frames go that come in {@link FrameRouter}, whether its
 * upstream acknowledges in {@link LaneMode}. Confined to its shard's thread; the edge calls {@link
 * #onReady}, {@link #onFrame} and {@link #onBroken}.
 */
public final class Lane implements Balancer.Candidate {
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

  private final ShardPool pool;
  private final Shard shard;
  private final Counters counters;
  private final LaneTransport transport;
  private final LaneClock clock;
  private final LaneMode mode;
  private final LaneSender sender;
  private final FrameRouter router;
  private final LaneConnections connections = new LaneConnections();

  private UpstreamView upstream;
  private Phase phase = Phase.CONNECTING;
  private boolean isDraining;
  private boolean isHeldBack;
  private boolean isWindowChanged;

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
    this.pool = pool;
    this.shard = shard;
    this.upstream = upstream;
    this.counters = counters;
    this.clock = new LaneClock(nowNs, shard.limits());
    this.mode = new LaneMode(pool::options, shard.limits(), hasAcknowledged);
    this.transport = shard.environment().connect(this);
    this.sender = new LaneSender(this, shard, counters, transport);
    this.router = new FrameRouter(this, shard, counters, sender);
  }

  // --- inputs from the edge ---

  /** The transport is established, or takes more after it took no more. */
  public void onReady(long nowNs) {
    switch (phase) {
      case CONNECTING -> {
        phase = Phase.OPEN;
        clock.onOpen(nowNs);
        counters.add(Counter.LANES_OPENED, 1);
        sender.hello(pool.hello());
        if (mode.decideByOptions()) {
          onDecided(nowNs);
        }
        pool.onLaneOpen(nowNs, this);
      }
      case OPEN -> {
        sender.onWritable();
        pool.onLaneWritable(this);
        sender.resumeStalled(nowNs);
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
    clock.onReceived(nowNs, shard.elapsedNs(nowNs));
    if (mode.onFrame(frame.control())) {
      onDecided(nowNs);
    }
    router.onFrame(nowNs, frame);
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

  /** It is the owner from now on. */
  void open(Connection connection, Open open) {
    connections.attached(1);
    counters.add(Counter.CONNECTIONS_ATTACHED, 1);
    pool.onAttached(connection, this);
    sender.open(connection, open);
  }

  /** Tells the upstream, if it can still be told. */
  void close(Connection connection, CloseReason reason) {
    if (phase == Phase.OPEN) {
      sender.close(connection, reason);
    }
  }

  /** The connection is no longer attached. */
  void detached(Connection connection) {
    connections.attached(-1);
    counters.add(Counter.CONNECTIONS_DETACHED, 1);
    sender.forget(connection);
    pool.onDetached(connection, this);
  }

  /**
   * A connection was taken from it because it showed no sign of work. More than half of those that
   * wait for it: it is not the connection that is to blame (rule 7).
   */
  void onStalled(long nowNs) {
    long memoryNs = pool.options().moving().progressTimeoutNs();
    if (connections.onStalled(nowNs, memoryNs, this::waitingCount)) {
      suspect(Suspicion.STALLED);
    }
  }

  private int waitingCount() {
    int[] waiting = new int[1];
    shard.forEachOn(this, connection -> waiting[0] += connection.isAwaitingOwner() ? 1 : 0);
    return waiting[0];
  }

  /** Something speaks against the upstream. */
  void suspect(Suspicion why) {
    pool.suspect(this, why);
  }

  /**
   * A connection has filled its window: if this is still the initial one, the upstream has so long
   * to say Settings.
   */
  void onWindowFull(long nowNs) {
    if (mode.isUndecided()) {
      clock.awaitSettings(nowNs);
    }
  }

  // --- inputs from its router ---

  void onSettings(long nowNs, Settings settings) {
    if (mode.isIgnoringSettings()) {
      return;
    }
    if (mode.isPlain()) {
      transport.cancel("SETTINGS_LATE");
      breakWith(nowNs, "Settings came after other frames", CloseReason.SETTINGS_LATE);
      return;
    }
    boolean isFirst = !mode.isAcknowledging();
    mode.onSettings(settings);
    if (isFirst) {
      onDecided(nowNs);
    } else {
      // Its connections learn of it in the next tick: however often it comes, that costs the same.
      isWindowChanged = true;
    }
    if (settings.isAnnouncementsWanted()) {
      shard.announcements().start(this);
      shard.announceAtTurnEnd();
    } else {
      shard.announcements().stop(this);
    }
  }

  void onPong(long nowNs, long id) {
    clock.onPong(nowNs, id).ifPresent(counters::addRoundTrip);
  }

  void onDraining(long nowNs) {
    if (!isDraining) {
      isDraining = true;
      pool.onLaneDraining(nowNs, this);
    }
  }

  /** An upstream that asks and does not read would have its answers pile up. */
  void breakIfUnread(long nowNs) {
    if (phase == Phase.OPEN && sender.isUnread()) {
      String cause = "it does not read the answers to what it sends";
      transport.cancel(cause);
      breakWith(nowNs, cause, CloseReason.UPSTREAM_LOST);
    }
  }

  // --- inputs from the shard ---

  /** Sends the turn's frames. */
  void flush() {
    if (phase == Phase.OPEN && sender.flush()) {
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
    if (mode.decideByOptions() || (clock.isSettingsOverdue(nowNs) && mode.onSettingsOverdue())) {
      onDecided(nowNs);
    }
    if (isWindowChanged) {
      isWindowChanged = false;
      shard.forEachOn(this, connection -> connection.onLaneChanged(nowNs));
    }
    if (mode.isAcknowledging()) {
      checkSilence(nowNs);
    } else if (mode.isUnproven() && clock.isProofOverdue(nowNs) && isWithoutPlainConnections()) {
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
    shard.announcements().stop(this);
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

  /** When something last came on it, as {@link Shard#elapsedNs}; only if something has. */
  long heardNs() {
    return clock.heardNs();
  }

  /** Something came on it, and that long has passed since it was made. */
  boolean hasWorkedFor(long nowNs, long leastNs) {
    return clock.hasWorkedFor(nowNs, leastNs);
  }

  /** Given frames only while the lane is open. */
  LaneSender sender() {
    return sender;
  }

  boolean isOpen() {
    return phase == Phase.OPEN;
  }

  boolean isBroken() {
    return phase == Phase.BROKEN;
  }

  /** New connections may be given to it, as far as the lane is concerned. */
  boolean isTakingConnections() {
    return phase == Phase.OPEN && !isDraining && !mode.isUnproven();
  }

  /** It said that it wants no new connections. */
  boolean isDraining() {
    return isDraining;
  }

  boolean isHeldBack() {
    return isHeldBack;
  }

  boolean isWritable() {
    return sender.isWritable();
  }

  boolean isAcknowledging() {
    return mode.isAcknowledging();
  }

  boolean isNeverAcknowledging() {
    return mode.isPlain();
  }

  /** Of each connection, as of now. */
  int windowBytes() {
    return mode.windowBytes();
  }

  LaneConnections connections() {
    return connections;
  }

  int connectionCount() {
    return connections.count();
  }

  LaneStatus status() {
    return new LaneStatus(
        poolName(), upstream.address(), isOpen(), isDraining, mode.label(), connections.count());
  }

  // --- transitions ---

  /** Its connections learn whether it acknowledges, and how much it takes. */
  private void onDecided(long nowNs) {
    shard.forEachOn(this, connection -> connection.onLaneDecided(nowNs));
    pool.onLaneDecided(nowNs);
  }

  private void checkSilence(long nowNs) {
    if (clock.isPingOverdue(nowNs)) {
      transport.cancel("silent");
      long timeoutMs = shard.limits().laneTimeoutNs() / 1_000_000;
      breakWith(
          nowNs, "nothing came for " + timeoutMs + " ms after a Ping", CloseReason.UPSTREAM_LOST);
    } else if (clock.isPingDue(nowNs)) {
      clock.onPing(nowNs);
      clock.onProbe(nowNs, sender.ping());
    } else if (clock.isProbeDue(nowNs)) {
      clock.onProbe(nowNs, sender.ping());
    }
  }

  /** After a reload they may go on as they began; nobody joins them. */
  private boolean isWithoutPlainConnections() {
    return !mode.isPlain() || connections.count() == 0;
  }

  private void breakWith(long nowNs, String cause, CloseReason reason) {
    if (phase == Phase.BROKEN || phase == Phase.FINISHED) {
      return;
    }
    boolean wasOpen = phase == Phase.OPEN;
    phase = Phase.BROKEN;
    sender.onBroken();
    shard.announcements().stop(this);
    int lostCount = connections.count();
    if (wasOpen) {
      counters.add(Counter.LANES_BROKEN, 1);
    }
    // First of all: those that it loses are given to others.
    pool.onLaneBreaking(nowNs, this, wasOpen);
    shard.forEachOn(this, connection -> connection.change().onLost(nowNs, reason));
    pool.onLaneBroken(nowNs, this, cause, wasOpen, lostCount);
  }
}
