package dev.waymark.engine.base;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.ResumeState;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * One total per {@link Counter}, {@link CloseReason}, {@link ResumeState.Cause} and {@link
 * PushResult.Outcome}, and how long pauses were. Written by one shard's thread, readable from any.
 */
public final class Counters {
  private static final long US = 1_000L;
  private static final long MS = 1_000_000L;
  private static final long S = 1_000_000_000L;
  private static final long PAUSE_NS_MAX = 100 * S;

  private static final long[] CONNECTION_BOUNDS_NS = {
    S / 100,
    S / 10,
    S,
    10 * S,
    60 * S,
    600 * S,
    3_600 * S,
    6 * 3_600 * S,
    24 * 3_600 * S,
    168 * 3_600 * S
  };

  private static final int COUNTERS = Counter.values().length;
  private static final int CLOSED = COUNTERS;
  private static final int MOVED = CLOSED + CloseReason.values().length;
  private static final int PUSHES = MOVED + ResumeState.Cause.values().length;

  private final AtomicLongArray totals =
      new AtomicLongArray(PUSHES + PushResult.Outcome.values().length);
  private final Histogram pauses = Histogram.between(MS, PAUSE_NS_MAX);
  private final Histogram pauseDetections = Histogram.between(MS, PAUSE_NS_MAX);
  private final Histogram pauseMoves = Histogram.between(MS, PAUSE_NS_MAX);

  private final Histogram roundTrips = Histogram.between(100 * US, 5 * S);
  private final Histogram connectionDurations = new Histogram(CONNECTION_BOUNDS_NS);

  /** Adds; the one writer only. */
  public void add(Counter counter, long amount) {
    add(counter.ordinal(), amount);
  }

  /** Counts one connection closed for this reason; the one writer only. */
  public void addClosed(CloseReason reason) {
    add(CLOSED + reason.ordinal(), 1);
  }

  /** Counts one connection that left its owner for this cause; the one writer only. */
  public void addMoved(ResumeState.Cause cause) {
    add(MOVED + cause.ordinal(), 1);
  }

  /** Counts one push of the upstream that was answered; the one writer only. */
  public void addPush(PushResult.Outcome outcome) {
    add(PUSHES + outcome.ordinal(), 1);
  }

  /**
   * One connection was without service for this long; the one writer only.
   *
   * @param detectionNs from when it was last served until its owner was given up
   * @param moveNs from then until another served it
   */
  public void addPause(long detectionNs, long moveNs) {
    pauses.add(detectionNs + moveNs);
    pauseDetections.add(detectionNs);
    pauseMoves.add(moveNs);
  }

  /** A Ping was answered after this long; the one writer only. */
  public void addRoundTrip(long durationNs) {
    roundTrips.add(durationNs);
  }

  /** One connection ended after this long; the one writer only. */
  public void addConnectionDuration(long durationNs) {
    connectionDurations.add(durationNs);
  }

  /** From Pings to their Pongs; any thread. */
  public Histogram roundTrips() {
    return roundTrips;
  }

  /** How long connections lasted that have ended; any thread. */
  public Histogram connectionDurations() {
    return connectionDurations;
  }

  /** The total so far; any thread. */
  public long total(Counter counter) {
    return totals.getOpaque(counter.ordinal());
  }

  /** Connections closed for this reason so far; any thread. */
  public long closed(CloseReason reason) {
    return totals.getOpaque(CLOSED + reason.ordinal());
  }

  /** Connections that left an owner for this cause so far; any thread. */
  public long moved(ResumeState.Cause cause) {
    return totals.getOpaque(MOVED + cause.ordinal());
  }

  /** How long connections that moved were without service; any thread. */
  public Histogram pauses() {
    return pauses;
  }

  /** The first part of each pause, until the former owner was given up; any thread. */
  public Histogram pauseDetections() {
    return pauseDetections;
  }

  /** The second part of each pause, until another owner served; any thread. */
  public Histogram pauseMoves() {
    return pauseMoves;
  }

  private void add(int index, long amount) {
    // One writer: a plain read and an opaque write need no locked instruction.
    totals.setOpaque(index, totals.getPlain(index) + amount);
  }

  /** Pushes of the upstream answered so; any thread. */
  public long pushes(PushResult.Outcome outcome) {
    return totals.getOpaque(PUSHES + outcome.ordinal());
  }
}
