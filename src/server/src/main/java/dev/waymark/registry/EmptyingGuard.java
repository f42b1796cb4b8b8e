package dev.waymark.registry;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Keeps the instances of a service that a registry does not name only because it has just started
 * and its nodes have not all come back to it. Until the registry has been running for one TTL, an
 * instance is gone only if the registry says so: its node has de-registered it, or has come back
 * and was lost again. From then on, what the registry says is believed, also that there is nothing.
 *
 * <p>That is stricter than to wait for a table that is half empty: what comes back within a TTL
 * comes one by one, so any line between "a few are missing" and "too many are" would be crossed on
 * the way. It costs nothing, since whoever uses the instances checks their health.
 *
 * <p>The guard ends by itself, with the first word of a registry that has been running for a TTL. A
 * registry that is gone again says nothing, and nothing is forgotten.
 *
 * <p>A state machine for one service, confined to one thread.
 */
public final class EmptyingGuard {
  private final Map<String, Instance> registered = new LinkedHashMap<>();
  private final Map<String, Instance> kept = new LinkedHashMap<>();

  // --- inputs ---

  /**
   * The registry has said something, be it only that it is there.
   *
   * @param isSettled whether it has been running for one TTL
   */
  public void onRegistry(boolean isSettled) {
    if (isSettled) {
      kept.clear();
    }
  }

  /**
   * This is all that is registered.
   *
   * @param isSettled as in {@link #onRegistry}
   */
  public void onTable(Collection<Instance> all, boolean isSettled) {
    Map<String, Instance> former = instances();
    registered.clear();
    kept.clear();
    all.forEach(instance -> registered.put(instance.address(), instance));
    if (!isSettled) {
      kept.putAll(former);
      kept.keySet().removeAll(registered.keySet());
    }
  }

  /** An instance is registered, or has changed. */
  public void onPut(Instance instance) {
    registered.put(instance.address(), instance);
    kept.remove(instance.address());
  }

  /** The registry says that an instance is gone. */
  public void onRemoved(String address) {
    registered.remove(address);
    kept.remove(address);
  }

  // --- outputs ---

  /** What counts as registered, by address. */
  public Map<String, Instance> instances() {
    Map<String, Instance> all = new LinkedHashMap<>(registered);
    all.putAll(kept);
    return all;
  }

  /** Whether this instance is kept although the registry does not name it. */
  public boolean isKept(String address) {
    return kept.containsKey(address);
  }

  /** How many instances are kept although the registry does not name them. */
  public int keptCount() {
    return kept.size();
  }
}
