package dev.waymark.engine.lane;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Owner;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamControl.Draining;
import dev.waymark.protocol.UpstreamControl.Load;
import dev.waymark.protocol.UpstreamControl.Pong;
import dev.waymark.protocol.UpstreamControl.Push;
import dev.waymark.protocol.UpstreamControl.Released;
import dev.waymark.protocol.UpstreamControl.Settings;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;

/**
 * One Attach call between a shard and an upstream: carries frames of many connections, whose owner
 * it is. It combines machines that do not know it: {@link LaneSender} gathers what is sent, {@link
 * LaneMode} decides whether the upstream acknowledges, {@link LaneClock} how long it may be silent,
 * and {@link LaneConnections} counts. Confined to its shard's thread; the edge calls {@link
 * #onReady}, {@link #onAccepted}, {@link #onFrame}, {@link #onEnded} and {@link #onBroken}.
 */
public final class Lane implements Owner, Candidate {
  private enum Phase {
    /** The call is not established; to OPEN or BROKEN. */
    CONNECTING,
    /** Frames may travel; to BROKEN or FINISHED. */
    OPEN,
    /** The call ended or failed; the pool opens another lane. */
    BROKEN,
    /** The bridge ended it. */
    FINISHED
  }

  private final LanePool pool;
  private final LaneHost host;
  private final Counters counters;
  private final LaneTransport transport;
  private final LaneClock clock;
  private final LaneMode mode;
  private final LaneSender sender;
  private final LaneConnections connections = new LaneConnections();

  private UpstreamView upstream;
  private Phase phase = Phase.CONNECTING;
  private boolean isAccepted;
  private boolean isDraining;
  private boolean hasEndedCleanly;
  private boolean isGoingAway;
  private boolean isHeldBack;
  private boolean isWindowChanged;

  /**
   * @param hasAcknowledged whether the upstream sent Settings before; then it gets no connections
   *     until it sends them again: the kernel accepts connections even for a stopped process
   */
  public Lane(
      long nowNs,
      LanePool pool,
      LaneHost host,
      UpstreamView upstream,
      Counters counters,
      boolean hasAcknowledged) {
    this.pool = pool;
    this.host = host;
    this.upstream = upstream;
    this.counters = counters;
    this.clock = new LaneClock(nowNs, host.limits());
    this.mode = new LaneMode(pool::options, host.limits(), hasAcknowledged);
    this.transport = host.connect(this);
    this.sender =
        new LaneSender(
            host.limits(), counters, transport, this::flush, () -> host.flushAtTurnEnd(this));
  }

  // --- inputs from the edge ---

  /** The transport is established, or is writable again. */
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
        sender.resumeWaiting(nowNs);
        host.onAnnounceable();
      }
      case BROKEN, FINISHED -> {}
    }
  }

  /** The upstream has accepted the call, or has not refused it for a while. Idempotent. */
  public void onAccepted() {
    if (phase == Phase.OPEN && !isAccepted) {
      isAccepted = true;
      pool.onLaneAccepted(this);
    }
  }

  /** A frame from the upstream; valid only during the call. */
  public void onFrame(long nowNs, UpstreamFrame frame) {
    if (phase != Phase.OPEN) {
      return;
    }
    onAccepted();
    counters.add(Counter.FRAMES_RECEIVED, 1);
    clock.onReceived(nowNs, host.elapsedNs(nowNs));
    if (mode.onFrame(frame.control())) {
      onDecided(nowNs);
    }
    UpstreamControl control = frame.control();
    if (control == null || control instanceof Released) {
      onConnectionFrame(nowNs, frame);
    } else {
      onControl(nowNs, control);
    }
  }

  private void onConnectionFrame(long nowNs, UpstreamFrame frame) {
    Connection connection = host.connection(frame.connection());
    if (connection != null) {
      counters.add(Counter.UPSTREAM_RECEIVED_BYTES, frame.payload().readableBytes());
      if (!connection.onFrame(nowNs, this, frame)) {
        counters.add(Counter.FRAMES_FENCED, 1);
      }
    } else if (host.hasIssued(frame.connection())) {
      counters.add(Counter.FRAMES_FENCED, 1);
    } else {
      counters.add(Counter.FRAMES_UNKNOWN, 1);
      // A Close is never answered (rule 8), and 0 is the lane: an upstream that echoes every frame
      // would be answered forever.
      if (frame.close() == 0 && frame.connection() != 0) {
        sender.answer(frame);
        breakIfUnread(nowNs);
      }
    }
  }

  private void onControl(long nowNs, UpstreamControl control) {
    switch (control) {
      case Settings settings -> onSettings(nowNs, settings);
      case Draining _ -> onDraining(nowNs);
      case Push push -> {
        host.push(nowNs, poolName(), push, this::onPushResult);
        breakIfUnread(nowNs);
      }
      case Pong(long id) -> clock.onPong(nowNs, id).ifPresent(counters::addRoundTrip);
      // Load is reserved for balancing by load; Released belongs to a connection.
      case Load _, Released _ -> {}
    }
  }

  private void onSettings(long nowNs, Settings settings) {
    if (mode.isIgnoringSettings()) {
      return;
    }
    if (mode.isAtMostOnce()) {
      transport.cancel("SETTINGS_LATE");
      breakWith(nowNs, "Settings came after other frames", CloseReason.SETTINGS_LATE);
      return;
    }
    boolean isFirst = !mode.isAcknowledging();
    mode.onSettings(settings);
    if (isFirst) {
      onDecided(nowNs);
    } else {
      // Its connections are told in the next tick, so that frequent changes are cheap.
      isWindowChanged = true;
    }
    host.announce(this, settings.wantsAnnouncements());
  }

  private void onDraining(long nowNs) {
    if (!isDraining) {
      isDraining = true;
      pool.onLaneDraining(nowNs, this);
    }
  }

  /** Breaks the lane of an upstream that sends requests but does not read the answers. */
  private void breakIfUnread(long nowNs) {
    if (phase == Phase.OPEN && sender.isUnread()) {
      String cause = "the upstream does not read the answers to its frames";
      transport.cancel(cause);
      breakWith(nowNs, cause, CloseReason.UPSTREAM_LOST);
    }
  }

  /** May be called long after the push, and while another lane handles its input. */
  private void onPushResult(PushResult result) {
    counters.addPush(result.outcome());
    if (phase == Phase.OPEN) {
      sender.answer(result);
    }
  }

  /**
   * The upstream ended the call, or the transport is gone, for whatever reason (rule 3).
   *
   * @param cause for operators
   */
  public void onEnded(long nowNs, String cause) {
    // However it ends: many servers can only reset the call.
    hasEndedCleanly = phase == Phase.OPEN && isDraining && connections.count() == 0;
    onBroken(nowNs, cause);
  }

  /**
   * The call cannot go on, because of a malformed message for example.
   *
   * @param cause for operators
   */
  public void onBroken(long nowNs, String cause) {
    breakWith(nowNs, cause, CloseReason.UPSTREAM_LOST);
  }

  /**
   * The upstream refused the call, even if so late that it counted as accepted.
   *
   * @param cause for operators
   */
  public void onRefused(long nowNs, String cause) {
    isAccepted = false;
    breakWith(nowNs, cause, CloseReason.UPSTREAM_LOST);
  }

  /**
   * The upstream has announced the end of the transport (HTTP/2's GOAWAY). The lane works on until
   * then; the pool replaces it.
   */
  public void onGoAway() {
    isGoingAway = true;
  }

  // --- inputs from connections ---

  @Override
  public void open(Attached connection, Open open) {
    connections.attached(1);
    counters.add(Counter.CONNECTIONS_ATTACHED, 1);
    pool.onAttached(connection, this);
    sender.open(connection, open);
  }

  @Override
  public void data(Attached connection, long offset, ByteBuf owned, boolean isLast, long limit) {
    sender.data(connection, offset, owned, isLast, limit);
  }

  @Override
  public void limit(Attached connection, long limit) {
    sender.limit(connection, limit);
  }

  @Override
  public void halfClose(Attached connection, long offset) {
    sender.halfClose(connection, offset);
  }

  @Override
  public void release(Attached connection) {
    sender.release(connection);
  }

  @Override
  public void close(Attached connection, CloseReason reason) {
    if (phase == Phase.OPEN) {
      sender.close(connection, reason);
    }
  }

  @Override
  public void detached(Attached connection, boolean hasLeftover) {
    connections.attached(-1);
    counters.add(Counter.CONNECTIONS_DETACHED, 1);
    sender.forget(connection);
    pool.onDetached(connection, this, hasLeftover);
  }

  @Override
  public void awaitWritable(Attached connection) {
    sender.awaitWritable(connection);
  }

  /** If more than half of the connections that wait for it stall, it is to blame (rule 7). */
  @Override
  public void onConnectionStalled(long nowNs) {
    long memoryNs = pool.options().moving().progressTimeoutNs();
    if (connections.onConnectionStalled(nowNs, memoryNs, this::waitingCount)) {
      reportOutlier(OutlierSignal.STALLED);
    }
  }

  private int waitingCount() {
    int[] waiting = new int[1];
    host.forEachOn(this, connection -> waiting[0] += connection.isAwaitingOwner() ? 1 : 0);
    return waiting[0];
  }

  @Override
  public void reportOutlier(OutlierSignal why) {
    pool.reportOutlier(this, why);
  }

  /** If the upstream has not said yet whether it acknowledges, the time for Settings begins. */
  @Override
  public void awaitAcknowledgement(long nowNs) {
    if (mode.isUndecided()) {
      clock.awaitSettings(nowNs);
    }
  }

  @Override
  public void leaving(int change) {
    connections.leaving(change);
  }

  @Override
  public void coming(int change) {
    connections.coming(change);
  }

  // --- inputs from the shard ---

  /** Sends the turn's frames. */
  public void flush() {
    if (phase == Phase.OPEN && sender.flush()) {
      counters.add(Counter.LANE_STALLS, 1);
      pool.onLaneFull(this);
    }
  }

  /** Weight or health changed; the address is the same. */
  public void onUpstreamChanged(UpstreamView view) {
    upstream = view;
  }

  /** Checks the clocks (rules 5 and 7). */
  public void onTick(long nowNs) {
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
      host.forEachOn(this, connection -> connection.onOwnerChanged(nowNs));
    }
    if (mode.isAcknowledging()) {
      checkSilence(nowNs);
    } else if (mode.needsSettings()
        && clock.isRequiredSettingsOverdue(nowNs)
        && hasNoAtMostOnceConnections()) {
      transport.cancel("no Settings");
      breakWith(nowNs, "it accepted the call and sent no Settings", CloseReason.UPSTREAM_LOST);
    }
  }

  /** The pool follows a leader, and this upstream leads no longer, or again (rule 6). */
  public void holdBack(long nowNs, boolean isHeld) {
    if (isHeld == isHeldBack) {
      return;
    }
    isHeldBack = isHeld;
    host.forEachOn(this, connection -> connection.onOwnerChanged(nowNs));
  }

  /** The upstream is no longer needed, and has no connections here. */
  public void finish() {
    host.announce(this, false);
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

  @Override
  public String upstreamAddress() {
    return upstream.address();
  }

  @Override
  public String poolName() {
    return pool.options().name();
  }

  @Override
  public long heardNs() {
    return clock.heardNs();
  }

  /** Whether a frame has come on it and it is at least this old. */
  public boolean hasWorkedFor(long nowNs, long leastNs) {
    return clock.hasWorkedFor(nowNs, leastNs);
  }

  /** Frames may be sent only while the lane is open. */
  LaneSender sender() {
    return sender;
  }

  @Override
  public boolean isOpen() {
    return phase == Phase.OPEN;
  }

  public boolean isBroken() {
    return phase == Phase.BROKEN;
  }

  /** Whether the upstream has accepted the call; if not, a lane that breaks is refused. */
  public boolean isAccepted() {
    return isAccepted;
  }

  /** Whether the lane may get new connections, apart from the state of its upstream. */
  public boolean isAcceptingConnections() {
    return phase == Phase.OPEN && !isDraining && !mode.needsSettings();
  }

  /** Whether the upstream has announced the end of the transport. */
  public boolean isGoingAway() {
    return isGoingAway;
  }

  /** Whether its upstream ended it as announced: after it was draining, without a connection. */
  public boolean hasEndedCleanly() {
    return hasEndedCleanly;
  }

  /** Whether its upstream wants no new connections. */
  public boolean isDraining() {
    return isDraining;
  }

  @Override
  public boolean isHeldBack() {
    return isHeldBack;
  }

  @Override
  public boolean isWritable() {
    return sender.isWritable();
  }

  @Override
  public boolean isAcknowledging() {
    return mode.isAcknowledging();
  }

  @Override
  public boolean isAtMostOnce() {
    return mode.isAtMostOnce();
  }

  @Override
  public boolean isPinned() {
    return mode.isPinned();
  }

  @Override
  public int windowBytes() {
    return mode.windowBytes();
  }

  /** How many connections are not being handed over to other lanes. */
  public int stayingCount() {
    return connections.stayingCount();
  }

  /** How many connections there will be when all current handovers have ended. */
  public int expectedCount() {
    return connections.expectedCount();
  }

  public int connectionCount() {
    return connections.count();
  }

  public LaneStatus status() {
    return new LaneStatus(
        poolName(), upstream.address(), isOpen(), isDraining, mode.label(), connections.count());
  }

  // --- transitions ---

  /** Tells its connections that the mode, and with it the window, is decided. */
  private void onDecided(long nowNs) {
    host.forEachOn(this, connection -> connection.onOwnerDecided(nowNs));
    pool.onLaneDecided(nowNs);
  }

  private void checkSilence(long nowNs) {
    if (clock.isPingOverdue(nowNs)) {
      transport.cancel("silent");
      long timeoutMs = host.limits().laneTimeoutNs() / 1_000_000;
      breakWith(
          nowNs, "nothing came for " + timeoutMs + " ms after a Ping", CloseReason.UPSTREAM_LOST);
    } else if (clock.isPingDue(nowNs)) {
      clock.onPing(nowNs);
      clock.onProbe(nowNs, sender.ping());
    } else if (clock.isProbeDue(nowNs)) {
      clock.onProbe(nowNs, sender.ping());
    }
  }

  /** After a reload, at-most-once connections stay on the lane, but it gets no others. */
  private boolean hasNoAtMostOnceConnections() {
    return !mode.isAtMostOnce() || connections.count() == 0;
  }

  private void breakWith(long nowNs, String cause, CloseReason reason) {
    if (phase == Phase.BROKEN || phase == Phase.FINISHED) {
      return;
    }
    boolean wasOpen = phase == Phase.OPEN;
    phase = Phase.BROKEN;
    sender.onBroken();
    host.announce(this, false);
    int lostCount = connections.count();
    if (wasOpen) {
      counters.add(hasEndedCleanly ? Counter.LANES_FINISHED : Counter.LANES_BROKEN, 1);
    }
    // Before its connections are told, because they go to other lanes at once.
    pool.onLaneBreaking(nowNs, this, wasOpen);
    host.forEachOn(this, connection -> connection.onOwnerLost(nowNs, reason));
    pool.onLaneBroken(nowNs, this, cause, wasOpen, lostCount);
  }
}
