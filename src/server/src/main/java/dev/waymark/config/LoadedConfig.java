package dev.waymark.config;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A checked configuration and where each value came from. Immutable.
 *
 * @param entries every value in force, in the order of the reference
 * @param embeddedEcho there where nobody named a pool or an upstream: the bridge is to serve the
 *     echo itself
 * @param warnings lines for the user about what was ignored
 */
public record LoadedConfig(
    BridgeConfig config,
    List<Entry> entries,
    Optional<EmbeddedEcho> embeddedEcho,
    List<String> warnings) {
  /**
   * One value in force.
   *
   * @param key path with indices, `listeners[0].address`
   * @param value as written
   */
  public record Entry(String key, String value, Origin origin) {
    private Entry withTarget(String target) {
      return key.equals(PoolKeys.TARGET.at(0)) ? new Entry(key, target, origin) : this;
    }
  }

  /**
   * The upstream that runs in the bridge.
   *
   * @param isDefault nobody chose the address
   */
  public record EmbeddedEcho(InetSocketAddress address, boolean isDefault) {}

  public LoadedConfig {
    entries = List.copyOf(entries);
    warnings = List.copyOf(warnings);
  }

  /** Whether the bridge is to serve the echo itself. */
  public boolean isEmbeddedUpstream() {
    return embeddedEcho.isPresent();
  }

  /** The same with the pool of an embedded echo looking for it at this address. */
  public LoadedConfig withEchoOn(InetSocketAddress address) {
    if (!isEmbeddedUpstream() || address.getPort() == 0) {
      return this;
    }
    String host =
        address.getAddress().isAnyLocalAddress()
            ? "127.0.0.1"
            : address.getAddress().getHostAddress();
    String text = new HostPort(host, address.getPort()).text();
    PoolConfig pool = config.pools().getFirst();
    Target target = new Target.Fixed(List.of(new Endpoint(text, 1, Map.of())));
    return new LoadedConfig(
        config.withPools(List.of(pool.withTarget(target))),
        entries.stream().map(entry -> entry.withTarget("static:///" + text)).toList(),
        embeddedEcho,
        warnings);
  }

  /** The entry of `memory-budget`. */
  public Entry memoryBudget() {
    return entries.stream()
        .filter(entry -> entry.key().equals(ProcessKeys.MEMORY_BUDGET.path()))
        .findFirst()
        .orElseThrow();
  }

  /**
   * The same with another `memory-budget` than was asked for.
   *
   * @param text of the entry
   * @param why a clause for people
   */
  public LoadedConfig withMemoryBudget(long bytes, String text, String why) {
    Entry asked = memoryBudget();
    Entry fitted =
        new Entry(asked.key(), text, new Origin.Fitted(asked.origin(), asked.value(), why));
    return new LoadedConfig(
        config.withLimits(config.limits().withMemoryBudgetBytes(bytes)),
        entries.stream().map(entry -> entry.equals(asked) ? fitted : entry).toList(),
        embeddedEcho,
        warnings);
  }

  /** The same with more lines for the user. */
  public LoadedConfig withWarnings(List<String> more) {
    List<String> all = Stream.concat(warnings.stream(), more.stream()).toList();
    return new LoadedConfig(config, entries, embeddedEcho, all);
  }

  /** The values in force as a file that loads, each line with its origin as a comment. */
  public String yaml() {
    return EntryWriter.yaml(entries);
  }
}
