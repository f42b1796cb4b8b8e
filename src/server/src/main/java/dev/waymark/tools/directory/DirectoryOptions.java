package dev.waymark.tools.directory;

import dev.waymark.config.AdminTokens;
import dev.waymark.registry.table.TableLimits;
import io.netty.handler.ssl.SslContext;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a directory serves. Immutable.
 *
 * @param watchersMax how many may watch at once
 * @param tls null for plain text
 * @param tokens who may do what; empty: nobody has a token
 * @param store shared with other directories; empty: what is registered is in memory only
 * @param readNames whose client certificates have the role read
 * @param operateNames whose client certificates have the role operate
 * @param registerNames whose client certificates may register, and which services
 */
public record DirectoryOptions(
    TableLimits limits,
    int watchersMax,
    @Nullable SslContext tls,
    Optional<AdminTokens> tokens,
    Optional<StoreOptions> store,
    List<String> readNames,
    List<String> operateNames,
    Map<String, List<String>> registerNames) {
  /** Everybody may do everything, in plain text. */
  public static DirectoryOptions open(TableLimits limits) {
    return new DirectoryOptions(
        limits, 10_000, null, Optional.empty(), Optional.empty(), List.of(), List.of(), Map.of());
  }

  public DirectoryOptions {
    readNames = List.copyOf(readNames);
    operateNames = List.copyOf(operateNames);
    registerNames = Map.copyOf(registerNames);
  }
}
