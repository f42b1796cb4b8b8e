package dev.waymark.upstreams;

import dev.waymark.config.PoolConfig;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.upstreams.discovery.SourceReport;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the control side knows of a pool, for people. Immutable. Times are those of {@link
 * dev.waymark.upstreams.control.ControlLoop#time}.
 *
 * @param nowNs when this was reported
 * @param source where its upstreams are found, and what is known there
 * @param trouble of the source; empty if it has none
 * @param upstreams as the shards see them
 */
public record PoolReport(
    PoolConfig config,
    long nowNs,
    SourceReport source,
    Optional<Trouble> trouble,
    List<Upstream> upstreams) {
  /**
   * A problem that lasts.
   *
   * @param sinceNs when it began; it may have been of another kind then
   */
  public record Trouble(UpstreamProblem problem, long sinceNs) {}

  /**
   * An ejection that lasts.
   *
   * @param why the signal that reached the threshold
   */
  public record Ejection(OutlierSignal why, long endsAtNs) {}

  /**
   * One upstream.
   *
   * @param stateNs since when it has been in its state
   * @param trouble why it does not serve; empty if it serves or nothing is known yet
   * @param ejection empty if it is not ejected
   */
  public record Upstream(
      UpstreamView view,
      OptionalLong stateNs,
      Optional<Trouble> trouble,
      Optional<Ejection> ejection) {}

  public PoolReport {
    upstreams = List.copyOf(upstreams);
  }
}
