package dev.waymark.api;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why the instances of a service get connections or not, for display. Immutable. Component names
 * are the field names of the JSON; times are ages in milliseconds, null if not known.
 *
 * @param pools those whose name or target names the service
 */
public record ServiceExplanation(String service, List<Pool> pools) {
  /**
   * A pool, its source of upstreams, and the instances that either knows.
   *
   * @param target where its upstreams are found
   */
  public record Pool(String pool, String target, Source source, List<Instance> instances) {}

  /**
   * What a source says of itself.
   *
   * @param server to which it is connected; empty if it is not, or if it has none
   * @param heardForMs since it last heard something
   * @param version of what it knows, as the server calls it
   * @param kept how many instances it keeps although the registry does not name them
   * @param cause a keyword for its problem; empty if it has none
   * @param problem the same as a sentence
   */
  public record Source(
      String server,
      @Nullable Long connectedForMs,
      @Nullable Long heardForMs,
      String version,
      int kept,
      String cause,
      String problem,
      @Nullable Long problemForMs) {}

  /**
   * One instance.
   *
   * @param isUsed whether it gets new connections
   * @param why it gets none, as a sentence; empty if it does
   * @param forMs how long it has been in the state that this comes from
   * @param connections attached to it now, over all shards
   * @param listing null: the source does not name it
   * @param upstream null: it is not in the pool
   * @param ejectedForMs how much longer it is ejected; null: it is not
   * @param problemForMs how long the problem of the upstream has lasted
   */
  public record Instance(
      String address,
      boolean isUsed,
      String why,
      @Nullable Long forMs,
      long connections,
      @Nullable Listing listing,
      @Nullable UpstreamStatus upstream,
      @Nullable Long ejectedForMs,
      @Nullable Long problemForMs) {}

  /**
   * What the source says of an instance.
   *
   * @param health as the source has it: healthy, draining, not ready, listed
   * @param isDamped whether the registry advises against its use because it comes and goes
   * @param isKept whether it is kept although the registry does not name it
   * @param isPassedOn whether the pool is told of it
   */
  public record Listing(
      String health,
      boolean isDamped,
      boolean isKept,
      boolean isPassedOn,
      int weight,
      int priority,
      Map<String, String> labels,
      @Nullable Long forMs) {}

  public ServiceExplanation {
    pools = List.copyOf(pools);
  }
}
