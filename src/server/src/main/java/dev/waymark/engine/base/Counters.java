package dev.waymark.engine.base;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.ResumeState;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * One total per {@link Counter}, {@link CloseReason}, {@link ResumeState.Cause} and {@link
 * PushResult.Outcome}, and histograms of durations. Written by one shard's thread, read by any.
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

  /** Adds to a counter. Called by the writer thread only. */
  public void add(Counter counter, long amount) {
    add(counter.ordinal(), amount);
  }

  /** Counts one connection closed for this reason. Called by the writer thread only. */
  public void addClosed(CloseReason reason) {
    add(CLOSED + reason.ordinal(), 1);
  }

  /** Counts one connection that left its owner for this cause. Called by the writer thread only. */
  public void addMoved(ResumeState.Cause cause) {
    add(MOVED + cause.ordinal(), 1);
  }

  /** Counts one push of the upstream that was answered. Called by the writer thread only. */
  public void addPush(PushResult.Outcome outcome) {
    add(PUSHES + outcome.ordinal(), 1);
  }

  /**
   * Counts one pause in the service of a connection. Called by the writer thread only.
   *
   * @param detectionNs from when it was last served until its owner was given up
   * @param moveNs from then until another served it
   */
  public void addPause(long detectionNs, long moveNs) {
    pauses.add(detectionNs + moveNs);
    pauseDetections.add(detectionNs);
    pauseMoves.add(moveNs);
  }

  /** Counts one round trip from Ping to Pong. Called by the writer thread only. */
  public void addRoundTrip(long durationNs) {
    roundTrips.add(durationNs);
  }

  /** Counts one connection that ended after this long. Called by the writer thread only. */
  public void addConnectionDuration(long durationNs) {
    connectionDurations.add(durationNs);
  }

  /** The round trips from Ping to Pong. Any thread. */
  public Histogram roundTrips() {
    return roundTrips;
  }

  /** The durations of ended connections. Any thread. */
  public Histogram connectionDurations() {
    return connectionDurations;
  }

  /** The total so far. Any thread. */
  public long total(Counter counter) {
    return totals.getOpaque(counter.ordinal());
  }

  /** Connections closed for this reason so far. Any thread. */
  public long closed(CloseReason reason) {
    return totals.getOpaque(CLOSED + reason.ordinal());
  }

  /** Connections that left an owner for this cause so far. Any thread. */
  public long moved(ResumeState.Cause cause) {
    return totals.getOpaque(MOVED + cause.ordinal());
  }

  /** How long connections that moved were without service. Any thread. */
  public Histogram pauses() {
    return pauses;
  }

  /** The first part of each pause, until the former owner was given up. Any thread. */
  public Histogram pauseDetections() {
    return pauseDetections;
  }

  /** The second part of each pause, until another owner served. Any thread. */
  public Histogram pauseMoves() {
    return pauseMoves;
  }

  private void add(int index, long amount) {
    // One writer: a plain read and an opaque write need no locked instruction.
    totals.setOpaque(index, totals.getPlain(index) + amount);
  }

  /** Pushes of the upstream with this outcome so far. Any thread. */
  public long pushes(PushResult.Outcome outcome) {
    return totals.getOpaque(PUSHES + outcome.ordinal());
  }
}
