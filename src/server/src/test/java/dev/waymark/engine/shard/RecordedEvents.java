package dev.waymark.engine.shard;

import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.ShardCounters;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.protocol.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Records the events of shards that tests look at, and ignores the others. */
public final class RecordedEvents implements ShardEvents, ShardCounters {
  private final Consumer<ConnectionSummary> onClosed;
  private final Counters counters = new Counters();
  private final List<ConnectionSummary> summaries = new ArrayList<>();
  private final List<ForcedDetach> forcedDetaches = new ArrayList<>();
  private final List<String> outlierSignals = new ArrayList<>();
  private final List<String> forgotten = new ArrayList<>();

  public RecordedEvents() {
    this(_ -> {});
  }

  /**
   * @param onClosed called with each summary after it is recorded
   */
  public RecordedEvents(Consumer<ConnectionSummary> onClosed) {
    this.onClosed = onClosed;
  }

  /** The counters of all listeners and upstreams together. */
  public Counters counters() {
    return counters;
  }

  /** How each connection ended; a live view. */
  public List<ConnectionSummary> summaries() {
    return summaries;
  }

  /** All forced detaches; a live view. */
  public List<ForcedDetach> forcedDetaches() {
    return forcedDetaches;
  }

  /** Each signal as upstream and reason; a live view. */
  public List<String> outlierSignals() {
    return outlierSignals;
  }

  /** Upstreams whose counters were dropped; a live view. */
  public List<String> forgotten() {
    return forgotten;
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
    forgotten.add(upstream);
  }

  @Override
  public void onConnectionOpened(Mark mark, String listener, String clientAddress) {}

  @Override
  public void onConnectionAttached(Mark mark, String pool, String upstream, int epoch) {}

  @Override
  public void onForcedDetach(ForcedDetach detach) {
    forcedDetaches.add(detach);
  }

  @Override
  public void onConnectionClosed(ConnectionSummary summary) {
    summaries.add(summary);
    onClosed.accept(summary);
  }

  @Override
  public void onOutlierSignal(String pool, String upstream, OutlierSignal why) {
    outlierSignals.add(upstream + " " + why);
  }

  @Override
  public void onLaneOpen(String pool, String upstream) {}

  @Override
  public void onLaneReplaced(String pool, String upstream) {}

  @Override
  public void onLaneBroken(String pool, String upstream, String cause, int connections) {}

  @Override
  public void onLaneEnded(String pool, String upstream) {}

  @Override
  public void onLaneRefused(String pool, String upstream, String cause) {}

  @Override
  public void onUpstreamDraining(String pool, String upstream) {}

  @Override
  public void onOverBudget(long usedBytes, long budgetBytes) {}

  @Override
  public void onUnderBudget(long usedBytes, long budgetBytes) {}
}
