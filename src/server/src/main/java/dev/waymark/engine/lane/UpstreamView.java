package dev.waymark.engine.lane;

import java.util.Map;

/**
 * One upstream of a pool, as the control plane sees it now. Immutable.
 *
 * @param address host:port or unix:path; its identity within the pool and its metric label
 * @param state what the shards may do with it
 * @param health for operators: SERVING, NOT_SERVING, UNKNOWN, SERVICE_UNKNOWN, UNIMPLEMENTED or
 *     UNREACHABLE
 * @param weight its share relative to the others of its subset, from 1, as configured
 * @param slowStartPercent how much of its weight applies now, 1 to 100: less during slow start
 * @param priority from 0; connections go to the upstreams with the lowest number among those that
 *     can take them
 * @param subset the subset that it belongs to
 * @param labels from the configuration
 */
public record UpstreamView(
    String address,
    UpstreamState state,
    String health,
    int weight,
    int slowStartPercent,
    int priority,
    Subset subset,
    Map<String, String> labels) {
  /**
   * A subset of a pool, with its share of the connections.
   *
   * @param number from 0; the same for all upstreams of a subset
   * @param sharePercent 0 to 100, relative to the other subsets that have upstreams
   */
  public record Subset(int number, int sharePercent) {
    /** The only subset of a pool without subsets. */
    public static final Subset WHOLE = new Subset(0, 100);
  }

  public UpstreamView {
    labels = Map.copyOf(labels);
  }

  /** Creates a view at full weight, in a pool without subsets. */
  public UpstreamView(
      String address, boolean isServing, String health, int weight, Map<String, String> labels) {
    this(
        address,
        isServing ? UpstreamState.SERVING : UpstreamState.DOWN,
        health,
        weight,
        100,
        0,
        Subset.WHOLE,
        labels);
  }

  /** Whether it may get new connections, if none with a lower priority number can. */
  public boolean isServing() {
    return state == UpstreamState.SERVING || state == UpstreamState.STANDBY;
  }

  /** Whether its connections have to move to others, if any serve. */
  public boolean isDraining() {
    return state == UpstreamState.DRAINING;
  }

  /** Its current share relative to the others of its subset, in hundredths of {@code weight}. */
  public int effectiveWeight() {
    return weight * slowStartPercent;
  }
}
