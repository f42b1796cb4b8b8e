package dev.waymark.registry.wire;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.EmptyingGuard;
import dev.waymark.registry.Instance;
import dev.waymark.v1.Removed;
import dev.waymark.v1.WatchResponse;
import dev.waymark.v1.WatchedInstance;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A service as a directory's responses describe it. Parts of a table take effect with the last one.
 * An instance that cannot be read costs only itself. A state machine, confined to the control
 * thread.
 */
public final class WatchedService {
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

  private Optional<String> bad = Optional.empty();

  public WatchedService(String name) {
    this.name = name;
  }

  /** Whether a whole table has arrived. */
  public boolean isKnown() {
    return isKnown;
  }

  /** The epoch to go on from; 0: from nothing. */
  public long epoch() {
    return epoch;
  }

  /** The version to go on from. */
  public long version() {
    return version;
  }

  /**
   * Applies a response.
   *
   * @return whether the upstreams may have changed
   */
  public boolean onResponse(WatchResponse response) {
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
              "instance "
                  + said.getInstance().getAddress()
                  + " of "
                  + name
                  + " cannot be used: "
                  + unusable.reason());
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
  public void onTableBroken() {
    incoming = Optional.empty();
  }

  /** What counts as registered, by address. */
  public Map<String, Catalog.Entry> instances() {
    Map<String, Catalog.Entry> entries = new LinkedHashMap<>();
    guard
        .instances()
        .forEach((address, instance) ->
            entries.put(address, new Catalog.Entry(instance, damped.contains(address))));
    return entries;
  }

  /** Whether this one counts although the directory does not name it. */
  public boolean isKept(String address) {
    return guard.isKept(address);
  }

  /** How many of them the directory does not name. */
  public int keptCount() {
    return guard.keptCount();
  }

  /** Which instance could not be read, and why; empty if all could. */
  public Optional<String> badInstance() {
    return bad;
  }
}
