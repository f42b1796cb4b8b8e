package dev.waymark.config;

import dev.waymark.config.OwnershipKeys.NoUpstream;
import dev.waymark.config.OwnershipKeys.OnUpstreamLoss;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Moving;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The settings of a pool, a named set of upstreams. Immutable.
 *
 * @param values those of the keys in {@link PoolKeys}, {@link BalancingKeys}, {@link
 *     UpstreamTlsKeys}, {@link RegistryKeys}, {@link HealthKeys}, {@link OwnershipKeys} and {@link
 *     OutlierKeys}
 * @param subsets in the order of the file; an upstream that matches none belongs to the rest
 */
public record PoolConfig(KeyValues<PoolConfig> values, List<Subset> subsets) {
  public PoolConfig {
    subsets = List.copyOf(subsets);
  }

  /** A pool whose other keys have their defaults. */
  public static PoolConfig of(String name, Target target) {
    KeyValues<PoolConfig> values = KeyValues.defaults();
    return new PoolConfig(
        values.with(PoolKeys.NAME, name).with(PoolKeys.TARGET, target), List.of());
  }

  /** The value of a key. */
  public <T> T get(Key<PoolConfig, T> key) {
    return values.get(key);
  }

  /** A copy with another value of a key. */
  public <T> PoolConfig with(Key<PoolConfig, T> key, T value) {
    return new PoolConfig(values.with(key, value), subsets);
  }

  /** A copy with other subsets. */
  public PoolConfig withSubsets(List<Subset> others) {
    return new PoolConfig(values, others);
  }

  public String name() {
    return get(PoolKeys.NAME);
  }

  /** Where upstreams are found. */
  public Target target() {
    return get(PoolKeys.TARGET);
  }

  /** Whether lanes and health checks use TLS. */
  public boolean isTls() {
    return get(UpstreamTlsKeys.MODE) == UpstreamTlsKeys.Mode.REQUIRED;
  }

  /** Its TLS; {@link #isTls}. */
  public ClientTlsConfig tls() {
    Optional<CertificateFiles> identity =
        get(UpstreamTlsKeys.CERTIFICATE)
            .map(certificate ->
                new CertificateFiles(certificate, get(UpstreamTlsKeys.KEY).orElse(certificate)));
    Optional<String> host =
        target() instanceof Target.Dns dns ? Optional.of(dns.host()) : Optional.empty();
    return new ClientTlsConfig(
        name(),
        get(UpstreamTlsKeys.CA),
        identity,
        get(UpstreamTlsKeys.KEY_PERMISSIONS),
        TlsKeys.Engine.AUTO,
        Optional.of("h2"),
        get(UpstreamTlsKeys.SERVER_NAME).or(() -> host),
        get(UpstreamTlsKeys.PEER_NAMES));
  }

  /** TLS to the registry that the target names; empty: plain text. */
  public Optional<ClientTlsConfig> registryTls() {
    return RegistryKeys.tls(this);
  }

  /** The engine's options for the pool. */
  public PoolOptions options() {
    Duration wait =
        get(OwnershipKeys.NO_UPSTREAM) == NoUpstream.WAIT
            ? get(OwnershipKeys.NO_UPSTREAM_WAIT)
            : Duration.ZERO;
    Moving moving =
        Moving.builder()
            .progressTimeoutNs(get(OwnershipKeys.PROGRESS_TIMEOUT).toNanos())
            .releaseTimeoutNs(get(OwnershipKeys.RELEASE_TIMEOUT).toNanos())
            .drainTimeoutNs(get(OwnershipKeys.DRAIN_TIMEOUT).toNanos())
            .movesPerSecond(get(OwnershipKeys.MOVES_PER_SECOND))
            .isRebalancing(get(BalancingKeys.REBALANCE))
            .isFollowingLeader(isFollowingLeader())
            .isResumingAtMostOnce(get(OwnershipKeys.ON_UPSTREAM_LOSS) == OnUpstreamLoss.REOPEN)
            .build();
    return new PoolOptions(
        name(),
        get(OwnershipKeys.ACKNOWLEDGE),
        wait.toNanos(),
        get(OwnershipKeys.NO_UPSTREAM_BYTES),
        moving);
  }

  /** Whether all connections belong to one upstream. */
  public boolean isFollowingLeader() {
    return get(BalancingKeys.FOLLOW) == BalancingKeys.Follow.LEADER;
  }

  /**
   * A part of the pool with a share of its own.
   *
   * @param labels an upstream with all of them belongs to it
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
    /** {@code static:///a:1,b:2}, {@code unix:PATH}, or the list {@code upstreams}. */
    record Fixed(List<Endpoint> upstreams) implements Target {
      public Fixed {
        upstreams = List.copyOf(upstreams);
      }
    }

    /**
     * {@code dns://[SERVER[:PORT]]/host:port}; server empty: those of /etc/resolv.conf; else
     * host:port.
     */
    record Dns(String server, String host, int port) implements Target {}

    /**
     * {@code srv://[SERVER[:PORT]]/_service._proto.name}: the SRV records of a name (RFC 2782);
     * server as in {@link Dns}.
     */
    record Srv(String server, String name) implements Target {}

    /** {@code file:///PATH}: see {@link UpstreamFile}. */
    record ListFile(Path file) implements Target {}

    /**
     * {@code k8s://[SERVER:PORT]/service.namespace:port}: the EndpointSlices of a Kubernetes
     * service.
     *
     * @param server of the API, as {@code kubectl proxy} serves it: host:port; empty: that of the
     *     cluster in which the bridge runs
     * @param port of the endpoints: a number, or a name that the slices give a number
     */
    record Kubernetes(String server, String service, String namespace, String port)
        implements Target {
      /** The service as people name it: {@code echo.shop}. */
      public String name() {
        return service + "." + namespace;
      }
    }

    /**
     * {@code directory://HOST:PORT[,HOST:PORT]/SERVICE}, and {@code etcd://} and {@code xds://}
     * alike: the instances of a service in a registry.
     *
     * @param servers of the registry, host:port, which are tried in this order
     * @param service its name; with etcd the prefix of its keys, without a slash at its end
     */
    record Registered(Registry registry, List<String> servers, String service) implements Target {
      public Registered {
        servers = List.copyOf(servers);
      }
    }
  }

  /** The kinds of registry. */
  public enum Registry {
    /** {@code waymark directory}. */
    DIRECTORY(7400),
    /** etcd, with the keys and values of its Go package {@code naming/endpoints}. */
    ETCD(2379),
    /** Any control plane that serves EDS. */
    XDS(7400);

    private final int port;

    Registry(int port) {
      this.port = port;
    }

    /** Where it usually listens, for messages. */
    int port() {
      return port;
    }
  }

  /**
   * One upstream of a list.
   *
   * @param address host:port (IPv6 in brackets) or unix:/path
   * @param weight relative share, 1 to 1000
   * @param priority from 0; it gets connections while none with a lower number serves
   */
  public record Endpoint(String address, int weight, int priority, Map<String, String> labels) {
    /** The label that says where an upstream is. */
    public static final String ZONE = "zone";

    public Endpoint {
      labels = Map.copyOf(labels);
    }

    /** An upstream of the first priority. */
    public Endpoint(String address, int weight, Map<String, String> labels) {
      this(address, weight, 0, labels);
    }
  }
}
