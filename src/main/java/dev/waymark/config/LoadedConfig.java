package dev.waymark.config;

import java.util.List;

/**
 * A checked configuration and where each value came from. Immutable.
 *
 * @param entries every value in force, in the order of the reference
 * @param isEmbeddedUpstream nobody named a pool or an upstream: the bridge is to serve the echo
 *     itself, where its pool looks for it
 * @param warnings lines for the user about what was ignored
 */
public record LoadedConfig(
    BridgeConfig config, List<Entry> entries, boolean isEmbeddedUpstream, List<String> warnings) {
  /**
   * One value in force.
   *
   * @param key path with indices, `listeners[0].address`
   * @param value as written
   * @param origin `flag --admin`, `environment WAYMARK_ADMIN`, `waymark.yml:7:3` or `default`
   */
  public record Entry(String key, String value, String origin) {}

  public LoadedConfig {
    entries = List.copyOf(entries);
    warnings = List.copyOf(warnings);
  }

  /** The values in force as a file that loads, each line with its origin as a comment. */
  public String yaml() {
    return EntryWriter.yaml(entries);
  }
}
