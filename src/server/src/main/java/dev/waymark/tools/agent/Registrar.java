package dev.waymark.tools.agent;

import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.upstream.registry.RegistrationStatus;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Keeps instances registered in one registry, for ever and whatever happens to it. Confined to the
 * agent's loop, except for {@link #status}.
 */
interface Registrar {
  /** Begins to register, with these instances from the start. Called once. */
  void start(List<Instance> instances);

  /** Registers an instance, or changes one; only after the start. */
  void put(Instance instance);

  /** De-registers an instance; no effect if it is not registered. */
  void remove(InstanceKey key);

  /** How the registration stands. Any thread. */
  RegistrationStatus status();

  /**
   * De-registers everything at once and ends.
   *
   * @return complete when the registry has confirmed it, or cannot be reached
   */
  CompletableFuture<Void> leave();
}
