package dev.waymark.registry;

import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The registered instances, for those who serve them in other protocols: xDS, DNS. Confined to one
 * event loop.
 */
public interface Catalog {
  /**
   * An instance and what the registry makes of it.
   *
   * @param isDamped comes and goes too often, and should not be used until it is stable
   */
  record Entry(Instance instance, boolean isDamped) {
    /** Whether new work may go to it. */
    public boolean isUsable() {
      return instance.health() == Instance.Health.HEALTHY && !isDamped;
    }
  }

  /** The names of all services that have instances. */
  Set<String> services();

  /** The instances of a service, in the order of their addresses; none if it is not known. */
  List<Entry> instances(String service);

  /**
   * Has this told which services have changed, some ten milliseconds after they have: changes are
   * gathered.
   *
   * @return ends it
   */
  Runnable subscribe(Consumer<Set<String>> onChanged);
}
