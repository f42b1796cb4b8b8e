package dev.waymark.config;

import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.engine.base.PoolOptions.Moving;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A named set of upstreams. Immutable.
 *
 * @param target where upstreams are found: one of the {@link Target} forms
 * @param healthService the service name asked of grpc.health.v1; empty: the server as a whole
 * @param healthRetryMin first wait before a broken health Watch is opened again; doubled each time,
 *     with jitter
 * @param healthRetryMax longest such wait
 * @param dnsTtlMin a name is not asked again sooner
 * @param dnsTtlMax a name is asked again at least this often
 * @param isWaitingForUpstream whether a connection waits where no upstream is SERVING
 * @param userTimeout TCP_USER_TIMEOUT of lanes; zero: the kernel's own
 * @param moving when connections leave an upstream that lives, and how
 * @param slowStart how long the weight of an upstream that turns SERVING rises; zero: not at all
 * @param subsets in the order of the file; who fits none belongs to the rest
 */
public record PoolConfig(
    String name,
    Target target,
    Policy policy,
    HashBy hashBy,
    Acknowledge acknowledge,
    String healthService,
    Duration healthRetryMin,
    Duration healthRetryMax,
    Duration dnsTtlMin,
    Duration dnsTtlMax,
    boolean isWaitingForUpstream,
    Duration noUpstreamWait,
    int noUpstreamBytesMax,
    Duration userTimeout,
    Moving moving,
    Ejection ejection,
    Duration slowStart,
    List<Subset> subsets) {
  public PoolConfig {
    subsets = List.copyOf(subsets);
  }

  PoolConfig withTarget(Target other) {
    return new PoolConfig(
        name,
        other,
        policy,
        hashBy,
        acknowledge,
        healthService,
        healthRetryMin,
        healthRetryMax,
        dnsTtlMin,
        dnsTtlMax,
        isWaitingForUpstream,
        noUpstreamWait,
        noUpstreamBytesMax,
        userTimeout,
        moving,
        ejection,
        slowStart,
        subsets);
  }

  /** How the upstream of a new connection is chosen. */
  public enum Policy {
    ROUND_ROBIN,
    LEAST_CONNECTIONS,
    RANDOM_TWO,
    RING_HASH
  }

  /** What ring-hash hashes. */
  public enum HashBy {
    CLIENT_ADDRESS,
    MARK
  }

  /**
   * When an upstream that misbehaves gets no new connections.
   *
   * @param suspicionsMax so many of them eject
   * @param window within this time
   * @param time how long the first time
   * @param timeMax never longer
   * @param percentMax never more of the pool
   */
  public record Ejection(
      boolean isOn,
      int suspicionsMax,
      Duration window,
      Duration time,
      Duration timeMax,
      int percentMax) {}

  /**
   * A part of the pool with a share of its own.
   *
   * @param labels who has all of them belongs to it
   * @param sharePercent 0: no connections
   */
  public record Subset(Map<String, String> labels, int sharePercent) {
    public Subset {
      labels = Map.copyOf(labels);
    }

    /** Whether an upstream with these labels belongs to it. */
    public boolean has(Map<String, String> upstreamLabels) {
      return upstreamLabels.entrySet().containsAll(labels.entrySet());
    }
  }

  /** Where upstreams are found. */
  public sealed interface Target {
    /** `static:///a:1,b:2`, `unix:PATH`, or the list `upstreams`. */
    record Fixed(List<Endpoint> upstreams) implements Target {
      public Fixed {
        upstreams = List.copyOf(upstreams);
      }
    }

    /**
     * `dns://[SERVER[:PORT]]/host:port`; server empty: those of /etc/resolv.conf; else host:port.
     */
    record Dns(String server, String host, int port) implements Target {}
  }

  /**
   * One upstream of a fixed list.
   *
   * @param address host:port (IPv6 in brackets) or unix:/path
   * @param weight relative share, 1 to 1000
   */
  public record Endpoint(String address, int weight, Map<String, String> labels) {
    public Endpoint {
      labels = Map.copyOf(labels);
    }
  }
}
