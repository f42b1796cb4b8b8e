package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.registry.EmptyingGuard;
import dev.waymark.registry.Instance;
import dev.waymark.registry.wire.BadInstanceException;
import dev.waymark.registry.wire.InstanceReader;
import dev.waymark.v1.Removed;
import dev.waymark.v1.WatchResponse;
import dev.waymark.v1.WatchedInstance;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A service as a directory's responses describe it. Parts of a table take effect with the last one.
 * An instance that cannot be read costs only itself. A state machine, confined to the control
 * thread.
 */
final class WatchedService {
  /** More parts than this are not those of one service. */
  private static final int INSTANCES_MAX = 100_000;

  private final String name;
  private final EmptyingGuard guard = new EmptyingGuard();
  private final Set<String> damped = new HashSet<>();
  private long epoch;
  private long version;
  private boolean isKnown;

  /** The table whose parts are arriving; empty: none is. */
  private Optional<Map<String, Instance>> incoming = Optional.empty();

  private Optional<UpstreamProblem> bad = Optional.empty();

  WatchedService(String name) {
    this.name = name;
  }

  /** The epoch and version to go on from. */
  long epoch() {
    return epoch;
  }

  long version() {
    return version;
  }

  /**
   * Applies a response.
   *
   * @return whether the upstreams may have changed
   */
  boolean onResponse(WatchResponse response) {
    boolean isSettled =
        Long.compareUnsigned(response.getUptimeMs(), Integer.toUnsignedLong(response.getTtlMs()))
            >= 0;
    boolean wasKeeping = guard.keptCount() > 0;
    if (incoming.isEmpty() && !response.getReset()) {
      guard.onRegistry(isSettled);
    }
    if (response.getReset()) {
      incoming = Optional.of(new LinkedHashMap<>());
      damped.clear();
    }
    if (response.getPutCount() > 0 || response.getReset()) {
      bad = Optional.empty();
    }
    response.getPutList().forEach(this::put);
    if (incoming.isPresent() && !response.getMore()) {
      guard.onTable(incoming.get().values(), isSettled);
      incoming = Optional.empty();
      isKnown = true;
    }
    response.getRemovedList().forEach(this::remove);
    if (incoming.isEmpty()) {
      epoch = response.getEpoch();
      version = response.getVersion();
    }
    boolean hasChanges = response.getPutCount() > 0 || response.getRemovedCount() > 0;
    return isKnown
        && incoming.isEmpty()
        && (response.getReset() || hasChanges || wasKeeping != guard.keptCount() > 0);
  }

  private void put(WatchedInstance said) {
    try {
      Instance instance = InstanceReader.read(said.getInstance());
      if (!instance.service().equals(name)) {
        return;
      }
      if (said.getIsDamped()) {
        damped.add(instance.address());
      } else {
        damped.remove(instance.address());
      }
      if (incoming.isEmpty()) {
        guard.onPut(instance);
      } else if (incoming.get().size() < INSTANCES_MAX) {
        incoming.get().put(instance.address(), instance);
      }
    } catch (BadInstanceException unusable) {
      bad =
          Optional.of(
              new UpstreamProblem(
                  Kind.REGISTRY_DATA,
                  "instance "
                      + said.getInstance().getAddress()
                      + " of "
                      + name
                      + " cannot be used: "
                      + unusable.getMessage()));
    }
  }

  private void remove(Removed removed) {
    if (removed.getService().equals(name)
        && removed.getCause() != Removed.Cause.CAUSE_UNSPECIFIED) {
      guard.onRemoved(removed.getAddress());
      damped.remove(removed.getAddress());
    }
  }

  /** The Watch broke: a table that is not complete does not count. */
  void onTableBroken() {
    incoming = Optional.empty();
  }

  /** The upstreams: healthy instances; the damped ones only if there are no others. */
  List<Endpoint> upstreams() {
    Map<String, Endpoint> stable = new TreeMap<>();
    Map<String, Endpoint> unstable = new TreeMap<>();
    guard
        .instances()
        .forEach((address, instance) -> {
          if (instance.health() == Instance.Health.HEALTHY) {
            (damped.contains(address) ? unstable : stable).put(address, endpoint(instance));
          }
        });
    return new ArrayList<>((stable.isEmpty() ? unstable : stable).values());
  }

  private static Endpoint endpoint(Instance instance) {
    return new Endpoint(
        instance.address(), instance.weight(), instance.priority(), instance.labels());
  }

  /** What is worth telling the operator about what the directory says; empty if nothing. */
  Optional<UpstreamProblem> problem() {
    if (bad.isPresent()) {
      return bad;
    }
    if (guard.keptCount() > 0) {
      return Optional.of(
          new UpstreamProblem(
              Kind.REGISTRY_DOUBTED,
              "the directory has just started and does not know "
                  + guard.keptCount()
                  + " instances yet; they are kept until it has been running for its TTL"));
    }
    if (guard.instances().isEmpty()) {
      return Optional.of(
          new UpstreamProblem(
              Kind.NO_ADDRESS, "no instance of " + name + " is registered in the directory"));
    }
    if (upstreams().isEmpty()) {
      return Optional.of(
          new UpstreamProblem(
              Kind.NO_ADDRESS,
              "none of the "
                  + guard.instances().size()
                  + " instances of "
                  + name
                  + " that are registered in the directory is healthy"));
    }
    return Optional.empty();
  }
}
