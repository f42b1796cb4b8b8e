package dev.waymark.upstreams.discovery;

import com.google.protobuf.ByteString;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.registry.EmptyingGuard;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.upstreams.control.Since;
import dev.waymark.upstreams.discovery.SourceReport.Standing;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A service as etcd describes it, and what of that is believed. A state machine, confined to the
 * control thread.
 *
 * <p>What etcd says is believed at once, also that there is nothing. It answers only while most of
 * its members agree, and keeps data and leases over a restart. A lease cannot end while etcd is
 * down or has no leader, as its end goes through the log that all members share; and whenever a
 * leader is elected, each lease has its whole TTL again, in which its owner can come back. So
 * nothing vanishes because etcd was away (docs/decisions/0046-etcd.md).
 *
 * <p>The exception is an etcd that has lost its data, and knows just those that have come back to
 * it already. For as long as an owner may need to notice that its lease is lost, an instance is
 * gone only if it had come back ({@link EmptyingGuard}).
 */
final class EtcdService {
  /** How long an etcd that has lost its data is doubted: a lease rarely has a longer TTL. */
  static final long DOUBT_NS = TimeUnit.SECONDS.toNanos(60);

  private final String name;
  private final EmptyingGuard guard = new EmptyingGuard();
  private EtcdKeys keys;

  /** Those of the list that is being read; null if none is. */
  private @Nullable EtcdKeys listed;

  /** What the guard was told last. */
  private Map<String, Instance> registered = Map.of();

  private OptionalLong doubtedUntilNs = OptionalLong.empty();

  EtcdService(String name) {
    this.name = name;
    this.keys = new EtcdKeys(name);
  }

  // --- inputs ---

  /** A list begins. */
  void onList() {
    listed = new EtcdKeys(name);
  }

  /** A key of the list, or a change. */
  void onPut(ByteString key, ByteString value) {
    (listed == null ? keys : listed).put(key, value);
  }

  void onDelete(ByteString key) {
    keys.remove(key);
  }

  /**
   * The list is complete.
   *
   * @param isOtherStore whether etcd has lost its data since the last list
   */
  void onListed(boolean isOtherStore, long nowNs) {
    if (listed != null) {
      keys = listed;
      listed = null;
    }
    if (isOtherStore) {
      doubtedUntilNs = OptionalLong.of(nowNs + DOUBT_NS);
    }
    registered = keys.instances();
    guard.onTable(registered.values(), isSettled(nowNs));
  }

  /** Changes are complete for now, or etcd has said that there are none. */
  void onCurrent(long nowNs) {
    Map<String, Instance> now = keys.instances();
    registered.keySet().stream()
        .filter(address -> !now.containsKey(address))
        .forEach(guard::onRemoved);
    now.values().forEach(guard::onPut);
    registered = now;
    guard.onRegistry(isSettled(nowNs));
  }

  private boolean isSettled(long nowNs) {
    return doubtedUntilNs.isEmpty() || nowNs >= doubtedUntilNs.getAsLong();
  }

  // --- outputs ---

  /** Whether these are too many to be kept. Ask after {@link #onPut}. */
  boolean isTooLarge() {
    return (listed == null ? keys : listed).isTooLarge();
  }

  /**
   * All upstreams, in the order of their addresses. An instance that drains, or is unhealthy, is
   * none; its connections are handed over, as when its key is deleted.
   */
  List<Endpoint> upstreams() {
    return new TreeMap<>(guard.instances())
        .values().stream()
            .filter(instance -> instance.health() == Health.HEALTHY)
            .map(EtcdService::endpoint)
            .toList();
  }

  /**
   * What is known of each instance, in the order of their addresses.
   *
   * @param since when they have stood as {@link #standings} says
   */
  List<SourceReport.Entry> entries(Since<Standing> since) {
    return new TreeMap<>(guard.instances())
        .values().stream()
            .map(instance -> {
              String address = instance.address();
              return new SourceReport.Entry(
                  endpoint(instance),
                  standing(instance, guard.isKept(address)),
                  withheld(instance),
                  since.of(address));
            })
            .toList();
  }

  /** How the instances stand, by address, whether they are kept or not. */
  Map<String, Standing> standings() {
    Map<String, Standing> standings = new HashMap<>();
    guard
        .instances()
        .forEach((address, instance) -> standings.put(address, standing(instance, false)));
    return standings;
  }

  private static Standing standing(Instance instance, boolean isKept) {
    return new Standing(instance.health().name().toLowerCase(Locale.ROOT), false, isKept);
  }

  private static String withheld(Instance instance) {
    return switch (instance.health()) {
      case HEALTHY -> "";
      case DRAINING -> "it is registered as draining";
      case UNHEALTHY -> "it is registered as unhealthy";
    };
  }

  private static Endpoint endpoint(Instance instance) {
    return new Endpoint(
        instance.address(), instance.weight(), instance.priority(), instance.labels());
  }

  /** What is worth telling the operator about what etcd has; empty if nothing. */
  Optional<UpstreamProblem> problem() {
    Optional<UpstreamProblem> unusable = keys.unusable();
    if (unusable.isPresent()) {
      return unusable;
    }
    if (guard.keptCount() > 0) {
      return problem(
          Kind.REGISTRY_DOUBTED,
          "etcd has lost its data; instances kept for a minute, until they come back: "
              + guard.keptCount());
    }
    if (keys.isEmpty()) {
      return problem(Kind.NO_ADDRESS, "no key in etcd begins with " + name + "/");
    }
    return upstreams().isEmpty()
        ? problem(
            Kind.NO_ADDRESS,
            "no instance below " + name + "/ is healthy (of " + registered.size() + ")")
        : Optional.empty();
  }

  private static Optional<UpstreamProblem> problem(Kind kind, String text) {
    return Optional.of(new UpstreamProblem(kind, text));
  }
}
