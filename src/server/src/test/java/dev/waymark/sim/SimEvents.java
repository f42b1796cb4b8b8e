package dev.waymark.sim;

import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.ShardCounters;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.engine.shard.ShardEvents;
import dev.waymark.protocol.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** Receives everything that the shards of a run report: counters, summaries and events. */
final class SimEvents implements ShardEvents, ShardCounters {
  private final Counters counters = new Counters();
  private final List<ConnectionSummary> summaries = new ArrayList<>();
  private final Map<String, Long> seen = new TreeMap<>();
  private final BiConsumer<String, OutlierSignal> outlierSignals;

  /**
   * @param outlierSignals gets each outlier signal with the address of its upstream
   */
  SimEvents(BiConsumer<String, OutlierSignal> outlierSignals) {
    this.outlierSignals = outlierSignals;
  }

  /** The counters of all shards, listeners and upstreams together. */
  Counters counters() {
    return counters;
  }

  /** How each connection ended; a live view. */
  List<ConnectionSummary> summaries() {
    return summaries;
  }

  /** How often each event or mark was seen; a live view. */
  Map<String, Long> seen() {
    return seen;
  }

  /** Counts one more occurrence. */
  void see(String what) {
    seen.merge(what, 1L, Long::sum);
  }

  @Override
  public Counters listener(String listener) {
    return counters;
  }

  @Override
  public Counters upstream(String pool, String upstream) {
    return counters;
  }

  @Override
  public void forgetUpstream(String pool, String upstream) {
    see("upstream forgotten");
  }

  @Override
  public void onConnectionOpened(Mark mark, String listener, String clientAddress) {}

  @Override
  public void onConnectionAttached(Mark mark, String pool, String upstream, int epoch) {}

  @Override
  public void onForcedDetach(ForcedDetach detach) {
    see("forced detach " + detach.why());
  }

  @Override
  public void onConnectionClosed(ConnectionSummary summary) {
    summaries.add(summary);
  }

  @Override
  public void onLaneOpen(String pool, String upstream) {}

  @Override
  public void onLaneReplaced(String pool, String upstream) {}

  @Override
  public void onLaneBroken(String pool, String upstream, String cause, int connections) {
    see("lane broken: " + cause.replaceAll("\\d+", "#"));
  }

  @Override
  public void onLaneEnded(String pool, String upstream) {
    see("lane ended");
  }

  @Override
  public void onLaneRefused(String pool, String upstream, String cause) {
    see("lane refused");
  }

  @Override
  public void onOutlierSignal(String pool, String upstream, OutlierSignal why) {
    see("outlier signal " + why);
    outlierSignals.accept(upstream, why);
  }

  @Override
  public void onUpstreamDraining(String pool, String upstream) {
    see("upstream draining");
  }

  @Override
  public void onOverBudget(long usedBytes, long budgetBytes) {
    see("over budget");
  }

  @Override
  public void onUnderBudget(long usedBytes, long budgetBytes) {
    see("under budget");
  }
}
