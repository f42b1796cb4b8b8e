package dev.waymark.bridge;

import dev.waymark.config.BridgeConfig;
import dev.waymark.config.ConfigException;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.PoolConfig;
import dev.waymark.net.tls.TlsFileCheck;
import dev.waymark.net.tls.TlsFileException;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Refuses a configuration whose files for TLS cannot be used, before anything starts. Confined to
 * one check.
 */
public final class TlsConfigCheck {
  private final LoadedConfig loaded;

  /** A flag may name the same file for several listeners. */
  private final Set<String> lines = new LinkedHashSet<>();

  private TlsConfigCheck(LoadedConfig loaded) {
    this.loaded = loaded;
  }

  /**
   * Reads the files. Blocks.
   *
   * @throws ConfigException with a line for each that cannot be used
   */
  public static void check(LoadedConfig loaded) {
    new TlsConfigCheck(loaded).checkAll(Clock.now());
  }

  private void checkAll(Instant now) {
    BridgeConfig config = loaded.config();
    for (int i = 0; i < config.listeners().size(); i++) {
      ListenerConfig listener = config.listeners().get(i);
      if (listener.isTls()) {
        add("listeners[" + i + "].tls.", TlsFileCheck.of(listener.tls(), now));
      }
    }
    for (int i = 0; i < config.pools().size(); i++) {
      PoolConfig pool = config.pools().get(i);
      if (pool.isTls()) {
        add("pools[" + i + "].tls.", TlsFileCheck.of(pool.tls(), now));
      }
    }
    config.admin().tls().ifPresent(tls -> add("admin.tls.", TlsFileCheck.of(tls.server(), now)));
    if (!lines.isEmpty()) {
      throw new ConfigException(String.join("\n", lines));
    }
  }

  private void add(String keys, List<TlsFileException> problems) {
    for (TlsFileException unusable : problems) {
      lines.add(
          loaded
              .fileEntry(keys, unusable.file())
              .map(entry ->
                  entry.origin().fileRefusal(entry.key(), unusable.problem(entry.setter())))
              .orElse(unusable.problem()));
    }
  }
}
