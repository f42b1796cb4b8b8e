package dev.waymark.config;

import dev.waymark.config.PoolConfig.Endpoint;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads the file that a {@code file:} target names: a list of upstreams in YAML or JSON. Stateless.
 */
public final class UpstreamFile {
  private static final String LIST = "upstreams";
  private static final Schema SCHEMA = Schema.of(UpstreamKeys.IN_FILE.group());

  private UpstreamFile() {}

  /**
   * Returns its upstreams; none if the list is empty. Blocks.
   *
   * @throws ConfigException if it cannot be read or anything in it is wrong, with a line for each
   */
  public static List<Endpoint> read(Path file) {
    Problems problems = new Problems();
    Values values =
        FileWalk.readList(SCHEMA, LIST, file.toString(), YamlFile.bytes(file), problems);
    problems.raise();
    Settings settings = new Settings(SCHEMA, values, problems);
    List<Endpoint> upstreams =
        new UpstreamReader(settings, new LabelReader(settings), UpstreamKeys.IN_FILE)
            .read(values.list(LIST).orElseThrow());
    problems.raise();
    return upstreams;
  }
}
