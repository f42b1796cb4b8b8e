package dev.waymark.upstreams.discovery;

import dev.waymark.config.ClusterAccess;
import dev.waymark.config.DiscoveryKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.RegistryKeys;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.names.NameLookup;
import dev.waymark.upstreams.names.ResolverFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Finds the upstreams of a pool's target through the {@link DiscoverySource} for its kind: a list
 * is used as it is, a name is resolved through DNS, a file is read whenever it changes, a
 * Kubernetes service is watched. Confined to the control thread.
 */
public final class Discovery {
  private final ControlLoop control;
  private final RandomGenerator random;
  private final ResolverFiles files;
  private final Optional<ClusterAccess> cluster;
  private final Consumer<List<Endpoint>> onFound;
  private final BiConsumer<String, UpstreamProblem> onFailed;

  /** What the present source was made of; empty if there is none. */
  private List<Object> followed = List.of();

  private DiscoverySource source = () -> {};

  /** What the present source has found, and when it last did. */
  private List<Endpoint> found = List.of();

  private OptionalLong foundNs = OptionalLong.empty();

  /**
   * @param cluster the Kubernetes cluster in which the bridge runs
   * @param onFound receives all upstreams, after every successful discovery
   * @param onFailed receives the name, file or service in which no upstreams could be found, and
   *     why
   */
  public Discovery(
      ControlLoop control,
      RandomGenerator random,
      ResolverFiles files,
      Optional<ClusterAccess> cluster,
      Consumer<List<Endpoint>> onFound,
      BiConsumer<String, UpstreamProblem> onFailed) {
    this.control = control;
    this.random = random;
    this.files = files;
    this.cluster = cluster;
    this.onFound =
        upstreams -> {
          found = upstreams;
          foundNs = OptionalLong.of(control.time().nowNs());
          onFound.accept(upstreams);
        };
    this.onFailed = onFailed;
  }

  /**
   * Switches to the target of this configuration. A list is found at once. With a name, the
   * upstreams of the former target stay until the first answer.
   */
  public void follow(PoolConfig config) {
    List<Object> next = new ArrayList<>();
    next.add(config.target());
    next.add(config.get(DiscoveryKeys.DNS_TTL_MIN));
    next.add(config.get(DiscoveryKeys.DNS_TTL_MAX));
    RegistryKeys.all().forEach(key -> next.add(config.get(key)));
    if (!next.equals(followed)) {
      source.close();
      followed = next;
      found = List.of();
      foundNs = OptionalLong.empty();
      source = sourceOf(config);
      source.start();
    }
  }

  /** Looks for changes soon. */
  public void refreshSoon() {
    source.refreshSoon();
  }

  /** What is known of the target, for people. */
  public SourceReport report() {
    return source.report().orElseGet(() -> SourceReport.ofList(found, foundNs));
  }

  /** Ends: no callback follows. */
  public void close() {
    source.close();
  }

  private DiscoverySource sourceOf(PoolConfig config) {
    return switch (config.target()) {
      case Target.Fixed(List<Endpoint> endpoints) -> () -> onFound.accept(endpoints);
      case Target.ListFile(Path file) ->
          new FileDiscovery(
              file, control, onFound, problem -> onFailed.accept(file.toString(), problem));
      case Target.Dns target ->
          dns(config, target.host(), new AddressRecords(target, lookup(target.server())));
      case Target.Srv target ->
          dns(config, target.name(), new ServiceRecords(target, lookup(target.server())));
      case Target.Kubernetes target ->
          new KubernetesDiscovery(
              target,
              cluster,
              control,
              random,
              onFound,
              problem -> onFailed.accept(target.name(), problem));
      case Target.Registered target -> registered(target, config);
    };
  }

  private DiscoverySource registered(Target.Registered target, PoolConfig config) {
    RegistryChannels channels =
        new RegistryChannels(control, files, target.servers(), config.registryTls());
    Consumer<UpstreamProblem> failed = problem -> onFailed.accept(target.service(), problem);
    return switch (target.registry()) {
      case DIRECTORY ->
          new DirectoryDiscovery(
              target,
              config.name(),
              control,
              channels,
              config.get(RegistryKeys.TOKEN_FILE).map(Token::new),
              random,
              onFound,
              failed);
      case ETCD -> new EtcdDiscovery(target, config, control, random, channels, onFound, failed);
      case XDS ->
          new XdsDiscovery(
              target,
              "waymark-bridge/" + config.name(),
              control,
              channels,
              config.get(RegistryKeys.TOKEN_FILE).map(Token::new),
              random,
              XdsDiscovery.OVERDUE,
              onFound,
              failed);
    };
  }

  private NameLookup lookup(String server) {
    return NameLookup.of(control, files, server);
  }

  private DiscoverySource dns(PoolConfig config, String name, Records records) {
    return new DnsDiscovery(
        control,
        records,
        new RetryWaits(
            config.get(DiscoveryKeys.DNS_TTL_MIN), config.get(DiscoveryKeys.DNS_TTL_MAX), random),
        onFound,
        problem -> onFailed.accept(name, problem));
  }
}
