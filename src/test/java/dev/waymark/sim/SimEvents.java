package dev.waymark.sim;

import dev.waymark.core.ConnectionSummary;
import dev.waymark.core.Counters;
import dev.waymark.core.Mark;
import dev.waymark.core.ShardCounters;
import dev.waymark.core.ShardEvents;
import dev.waymark.core.Suspicion;
import java.util.ArrayList;
import java.util.List;

/** What a shard reports: ends and counters are kept, the rest is not looked at. */
final class SimEvents implements ShardEvents, ShardCounters {
  private final Counters counters = new Counters();
  private final List<ConnectionSummary> summaries = new ArrayList<>();

  Counters counters() {
    return counters;
  }

  /** How each connection ended. */
  List<ConnectionSummary> summaries() {
    return summaries;
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
  public void forgetUpstream(String pool, String upstream) {}

  @Override
  public void onConnectionOpened(Mark mark, String listener, String clientAddress) {}

  @Override
  public void onConnectionAttached(Mark mark, String pool, String upstream, int epoch) {}

  @Override
  public void onConnectionClosed(ConnectionSummary summary) {
    summaries.add(summary);
  }

  @Override
  public void onLaneOpen(String pool, String upstream) {}

  @Override
  public void onLaneBroken(String pool, String upstream, String cause, int connections) {}

  @Override
  public void onUpstreamSuspect(String pool, String upstream, Suspicion why) {}

  @Override
  public void onLaneRefused(String pool, String upstream, String cause) {}

  @Override
  public void onUpstreamDraining(String pool, String upstream) {}

  @Override
  public void onOverBudget(long usedBytes, long budgetBytes) {}

  @Override
  public void onUnderBudget(long usedBytes, long budgetBytes) {}
}
