package dev.waymark.config;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A checked configuration and where each value came from. Immutable.
 *
 * @param entries every value in force, in the order of the reference
 * @param embeddedEcho present if no pool and no upstream is configured: the bridge serves the echo
 *     itself
 * @param warnings what was ignored, one line each, for the user
 */
public record LoadedConfig(
    BridgeConfig config,
    List<Entry> entries,
    Optional<EmbeddedEcho> embeddedEcho,
    List<String> warnings) {
  /**
   * One value in force.
   *
   * @param declared the key
   * @param key path with indices, {@code listeners[0].address}
   * @param value as written; show {@link #shown} instead
   */
  public record Entry(Key<?, ?> declared, String key, String value, Origin origin) {
    /** The value with secrets masked. */
    public String shown() {
      return declared.shown(value);
    }

    /** What people set: the flag, the variable or the key. */
    public String setter() {
      return switch (origin) {
        case Origin.Flag flag -> flag.name();
        case Origin.Environment variable -> variable.name();
        case Origin.File _, Origin.Default _, Origin.Fitted _ -> key;
      };
    }

    private Entry withTarget(String target) {
      return declared == PoolKeys.TARGET ? new Entry(declared, key, target, origin) : this;
    }

    @Override
    public String toString() {
      return key + ": " + shown();
    }
  }

  /**
   * The upstream that runs in the bridge.
   *
   * @param isDefault whether the address is the default
   */
  public record EmbeddedEcho(InetSocketAddress address, boolean isDefault) {}

  public LoadedConfig {
    entries = List.copyOf(entries);
    warnings = List.copyOf(warnings);
  }

  /** Whether the bridge serves the echo itself. */
  public boolean isEmbeddedUpstream() {
    return embeddedEcho.isPresent();
  }

  /** A copy whose pool looks for the embedded echo at this address. */
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
        config.withPools(List.of(pool.with(PoolKeys.TARGET, target))),
        entries.stream().map(entry -> entry.withTarget("static:///" + text)).toList(),
        embeddedEcho,
        warnings);
  }

  /**
   * The entry that names a file.
   *
   * @param keys how its key begins, such as {@code admin.tls.}
   */
  public Optional<Entry> fileEntry(String keys, Path file) {
    return entries.stream()
        .filter(entry -> entry.key().startsWith(keys) && Path.of(entry.value()).equals(file))
        .findFirst();
  }

  /** The entry of {@code memory-budget}. */
  public Entry memoryBudget() {
    return entries.stream()
        .filter(entry -> entry.declared() == ProcessKeys.MEMORY_BUDGET)
        .findFirst()
        .orElseThrow();
  }

  /**
   * A copy with another {@code memory-budget} than the configured one.
   *
   * @param text the value as one would write it
   * @param why a clause for the user
   */
  public LoadedConfig withMemoryBudget(long bytes, String text, String why) {
    Entry asked = memoryBudget();
    Entry fitted =
        new Entry(
            asked.declared(),
            asked.key(),
            text,
            new Origin.Fitted(asked.origin(), asked.value(), why));
    return new LoadedConfig(
        config.with(ProcessKeys.MEMORY_BUDGET, bytes),
        entries.stream().map(entry -> entry.equals(asked) ? fitted : entry).toList(),
        embeddedEcho,
        warnings);
  }

  /** A copy with more warnings. */
  public LoadedConfig withWarnings(List<String> more) {
    List<String> all = Stream.concat(warnings.stream(), more.stream()).toList();
    return new LoadedConfig(config, entries, embeddedEcho, all);
  }

  /** The values in force as YAML, each line with its origin as a comment; secrets are masked. */
  public String yaml() {
    return EntryWriter.yaml(entries);
  }
}
