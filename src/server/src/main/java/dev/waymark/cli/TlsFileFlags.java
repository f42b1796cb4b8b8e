package dev.waymark.cli;

import dev.waymark.config.ConfigException;
import dev.waymark.net.tls.TlsFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The flags of a command that name files for TLS. Confined to one thread. */
final class TlsFileFlags {
  private final Map<Path, String> flags = new LinkedHashMap<>();

  /** The flag names this file, or none. The first flag to name a file is blamed for it. */
  TlsFileFlags with(String flag, @Nullable Path file) {
    if (file != null) {
      flags.putIfAbsent(file, flag);
    }
    return this;
  }

  /** The refusal of these files, with a line for each. */
  ConfigException refusal(List<TlsFileException> problems) {
    return new ConfigException(problems.stream().map(this::line).collect(Collectors.joining("\n")));
  }

  private String line(TlsFileException unusable) {
    String flag = flags.get(unusable.file());
    return flag == null ? unusable.problem() : flag + ": " + unusable.problem(flag);
  }
}
