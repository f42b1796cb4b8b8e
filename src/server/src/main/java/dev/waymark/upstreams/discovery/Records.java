package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import java.util.List;
import java.util.function.Consumer;

/** The DNS records in which a pool's upstreams are found. Confined to the control thread. */
interface Records {
  /** What a lookup has found. */
  sealed interface Outcome {
    /**
     * All upstreams.
     *
     * @param ttlSeconds how long the answer may be used
     */
    record Found(List<Endpoint> upstreams, long ttlSeconds) implements Outcome {}

    /** Nothing that would replace the known upstreams. */
    record Failed(UpstreamProblem problem) implements Outcome {}
  }

  /** Looks once, and calls back once, perhaps before this returns. */
  void look(Consumer<Outcome> onOutcome);

  /** Whether the outcome may have changed, because resolv.conf or the hosts file has. */
  boolean isOutdated();
}
