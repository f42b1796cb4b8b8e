package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a source of upstreams knows, for people. Immutable. Times are those of {@link
 * dev.waymark.upstreams.control.ControlLoop#time}.
 *
 * @param server to which it is connected; empty if it is not, or if it has none
 * @param heardNs when it last heard something, be it only a heartbeat; empty: never
 * @param version of what it knows, as the server calls it; empty if there are no versions
 * @param entries all instances of which it knows, in its order
 */
public record SourceReport(
    Optional<Server> server, OptionalLong heardNs, String version, List<Entry> entries) {
  /**
   * A server to which a source is connected.
   *
   * @param address host:port
   * @param sinceNs since when it has answered
   */
  public record Server(String address, long sinceNs) {}

  /**
   * What a source says of an instance.
   *
   * @param health in a word or two, as the source has it: healthy, not ready
   * @param isDamped whether the registry advises against its use because it comes and goes
   * @param isKept whether the source keeps it although the registry does not name it
   */
  public record Standing(String health, boolean isDamped, boolean isKept) {
    /** A standing in which there is nothing to add to the health. */
    public static Standing of(String health) {
      return new Standing(health, false, false);
    }
  }

  /**
   * An instance of which a source knows.
   *
   * @param withheld why the pool is not told of it, as a clause; empty: it is
   * @param sinceNs since when it has had this standing, kept or not; empty: not known
   */
  public record Entry(
      Endpoint endpoint, Standing standing, String withheld, OptionalLong sinceNs) {}

  public SourceReport {
    entries = List.copyOf(entries);
  }

  /** The report of a source that tells the pool all it knows. */
  static SourceReport ofList(List<Endpoint> upstreams, OptionalLong heardNs) {
    List<Entry> entries =
        upstreams.stream()
            .map(each -> new Entry(each, Standing.of("listed"), "", OptionalLong.empty()))
            .toList();
    return new SourceReport(Optional.empty(), heardNs, "", entries);
  }
}
