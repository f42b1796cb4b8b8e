package dev.waymark.config;

/**
 * Where a key may be set: once for the bridge, in each listener, in each pool, and so on.
 * Immutable; equality is identity.
 *
 * @param <C> the settings that hold its values
 */
@SuppressWarnings("UnusedTypeParameter") // it ties keys to the settings that hold their values
final class Scope<C> {
  static final Scope<BridgeConfig> BRIDGE = new Scope<>("");
  static final Scope<ListenerConfig> LISTENER = new Scope<>("listeners[].");
  static final Scope<ListenerConfig> FRAMING = new Scope<>("listeners[].framing.");
  static final Scope<ListenerConfig> CERTIFICATE = new Scope<>("listeners[].tls.certificates[].");
  static final Scope<PoolConfig> POOL = new Scope<>("pools[].");
  static final Scope<PoolConfig.Endpoint> UPSTREAM = new Scope<>("pools[].upstreams[].");
  static final Scope<PoolConfig.Endpoint> FILE_UPSTREAM = new Scope<>("upstreams[].");
  static final Scope<AgentService> AGENT_SERVICE = new Scope<>("services[].");
  static final Scope<PoolConfig.Subset> SUBSET = new Scope<>("pools[].subsets[].");

  private final String prefix;

  private Scope(String prefix) {
    this.prefix = prefix;
  }

  /** The start of its keys' paths; {@code []} stands for each element of a list. */
  String prefix() {
    return prefix;
  }
}
