package dev.waymark.net.dial;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The progress of one connection attempt to an upstream. Written by the channel's handler; confined
 * to the channel's event loop.
 */
public final class Dial {
  private static final UpstreamProblem CONNECTING =
      new UpstreamProblem(
          Kind.CONNECT_TIMEOUT, "no answer to the connect yet; packets may be dropped on the way");
  private static final UpstreamProblem SILENT =
      new UpstreamProblem(
          Kind.SILENT, "accepts the connection, but sends nothing, not even HTTP/2 settings");

  private @Nullable UpstreamProblem problem;
  private boolean isConnected;
  private boolean isHttp2;
  private boolean isLeaving;

  /** Returns what is wrong with the connection itself; empty if nothing is known to be. */
  public Optional<UpstreamProblem> problem() {
    return Optional.ofNullable(problem);
  }

  /** Returns what is wrong if no answer came in time; empty if the peer speaks HTTP/2. */
  public Optional<UpstreamProblem> problemOfSilence() {
    if (problem != null || isHttp2) {
      return problem();
    }
    return Optional.of(isConnected ? SILENT : CONNECTING);
  }

  /** Whether the peer has announced, by GOAWAY, that it will close the connection. */
  public boolean isLeaving() {
    return isLeaving;
  }

  void connecting() {
    problem = null;
    isConnected = false;
    isHttp2 = false;
    isLeaving = false;
  }

  void connected() {
    isConnected = true;
  }

  void http2() {
    isHttp2 = true;
  }

  void leaving() {
    isLeaving = true;
  }

  void flooded(String why) {
    failed(new UpstreamProblem(Kind.FLOOD, why));
  }

  /** Records a problem; only the first counts, since the others follow from it. */
  void failed(UpstreamProblem why) {
    if (problem == null) {
      problem = why;
    }
  }
}
