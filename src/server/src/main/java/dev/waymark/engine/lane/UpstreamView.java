package dev.waymark.engine.lane;

import java.util.Map;

/**
 * One upstream of a pool, as the control plane sees it now. Immutable.
 *
 * @param address host:port or unix:path; its identity within the pool and its metric label
 * @param state what the shards may do with it
 * @param health for people: SERVING, NOT_SERVING, UNKNOWN, SERVICE_UNKNOWN, UNIMPLEMENTED or
 *     UNREACHABLE
 * @param weight its share relative to the others of its subset, from 1, as configured
 * @param slowStartPercent how much of its weight holds now, 1 to 100: less while it starts slowly
 * @param subset the part of the pool that it belongs to
 * @param labels from the configuration
 */
public record UpstreamView(
    String address,
    UpstreamState state,
    String health,
    int weight,
    int slowStartPercent,
    Subset subset,
    Map<String, String> labels) {
  /**
   * A part of a pool that has a share of its own.
   *
   * @param number from 0; the same for all upstreams of a subset
   * @param sharePercent 0 to 100, relative to the other subsets that are there
   */
  public record Subset(int number, int sharePercent) {
    /** Of a pool without subsets. */
    public static final Subset WHOLE = new Subset(0, 100);
  }

  public UpstreamView {
    labels = Map.copyOf(labels);
  }

  /** At its full weight, in a pool without subsets. */
  public UpstreamView(
      String address, boolean isServing, String health, int weight, Map<String, String> labels) {
    this(
        address,
        isServing ? UpstreamState.SERVING : UpstreamState.DOWN,
        health,
        weight,
        100,
        Subset.WHOLE,
        labels);
  }

  /** New connections may be given to it. */
  public boolean isServing() {
    return state == UpstreamState.SERVING;
  }

  /** Its connections are to be given to others, where there are any that serve. */
  public boolean isDraining() {
    return state == UpstreamState.DRAINING;
  }

  /**
   * Its share relative to the others of its subset as it is now, in hundredths of {@code weight}.
   */
  public int effectiveWeight() {
    return weight * slowStartPercent;
  }
}
