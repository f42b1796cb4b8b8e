package dev.waymark.upstreams;

import dev.waymark.config.BalancingKeys.Follow;
import dev.waymark.config.OutlierKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The control side of a pool without I/O, for the simulation: takes the same inputs as {@link
 * PoolManager} and publishes the same snapshots. Confined to one thread.
 */
public final class SimulatedPool {
  /** The label of the canaries. */
  private static final Map<String, String> CANARY = Map.of("version", "next");

  private static final int SIGNALS_MAX = 3;
  private static final int PERCENT_MAX = 60;

  /**
   * The settings that a reload may change.
   *
   * @param canaryPercent the share of connections for canaries; 100: there are no subsets
   */
  public record Settings(
      Moving moving,
      boolean isEjecting,
      Duration ejectionTime,
      Duration slowStart,
      int canaryPercent) {
    private PoolConfig config() {
      boolean isWhole = canaryPercent == 100;
      List<Subset> subsets = isWhole ? List.of() : List.of(new Subset(CANARY, canaryPercent));
      return Fixtures.pool(
              pool -> {
                pool.follow = moving.isFollowingLeader() ? Follow.LEADER : Follow.NONE;
                pool.slowStart = slowStart;
                pool.subsets = subsets;
                pool.ejectionTime = ejectionTime;
                pool.ejectionTimeMax = ejectionTime.multipliedBy(3);
              })
          .with(OutlierKeys.EJECTION, isEjecting)
          .with(OutlierKeys.SIGNALS, SIGNALS_MAX)
          .with(OutlierKeys.PERCENT_MAX, PERCENT_MAX);
    }
  }

  /** One upstream as discovery returns it. */
  public record Found(String address, int weight, boolean isCanary) {
    private Endpoint endpoint() {
      return new Endpoint(address, weight, isCanary ? CANARY : Map.of());
    }
  }

  private final String name;
  private final Consumer<PoolSnapshot> sink;
  private final RecordedEvents events = new RecordedEvents();
  private final PoolState state;
  private List<UpstreamView> published = List.of();
  private long version;

  /**
   * @param sink receives every snapshot
   */
  public SimulatedPool(String name, Settings settings, Consumer<PoolSnapshot> sink) {
    this.name = name;
    this.sink = sink;
    this.state = new PoolState(settings.config(), events);
  }

  /** Returns the names of all possible healths. */
  public static List<String> healths() {
    return Stream.of(UpstreamHealth.values()).map(Enum::name).toList();
  }

  // --- inputs ---

  public void onFound(long nowNs, List<Found> found) {
    state.onUpstreams(nowNs, found.stream().map(Found::endpoint).toList());
    publishChanges(nowNs);
  }

  /**
   * Called when the upstream's health changes.
   *
   * @param health one of {@link #healths}
   */
  public void onHealth(long nowNs, String address, String health) {
    state.onHealth(nowNs, address, UpstreamHealth.valueOf(health));
    publishChanges(nowNs);
  }

  public void onOutlierSignal(long nowNs, String address, OutlierSignal why) {
    if (state.onOutlierSignal(nowNs, address, why)) {
      publishChanges(nowNs);
    }
  }

  public void onDeadline(long nowNs) {
    state.onDeadline(nowNs);
    publishChanges(nowNs);
  }

  public void reconfigure(long nowNs, Settings settings) {
    state.reconfigure(nowNs, settings.config());
    publishChanges(nowNs);
  }

  // --- outputs ---

  public OptionalLong nextDeadlineNs(long nowNs) {
    return state.nextDeadlineNs(nowNs);
  }

  /** Returns all events so far, as text that begins with the kind of event. */
  public List<String> events() {
    return events.events;
  }

  private void publishChanges(long nowNs) {
    List<UpstreamView> views = state.views(nowNs);
    if (!views.equals(published)) {
      published = views;
      version++;
      sink.accept(new PoolSnapshot(name, version, views));
    }
  }
}
