package dev.waymark.upstreams;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The leader of a pool whose upstreams elect one themselves and show it by SERVING: of the
 * reachable upstreams, the one that turned SERVING last. So a deposed leader that still reports
 * SERVING does not lead, not even when its Watch broke and is restored. Confined to the control
 * thread.
 */
final class Leadership {
  /** The upstreams whose last status is SERVING, in the order in which they turned SERVING. */
  private final LinkedHashSet<String> serving = new LinkedHashSet<>();

  /** The upstreams whose Watch is broken. They keep their place: their status may be unchanged. */
  private final Set<String> unreachable = new HashSet<>();

  /** The upstreams that lead or have led. */
  private final Set<String> led = new HashSet<>();

  /** Called with an upstream's health; may repeat the same one. */
  void onHealth(String upstream, UpstreamHealth health) {
    if (health == UpstreamHealth.UNREACHABLE) {
      unreachable.add(upstream);
    } else {
      unreachable.remove(upstream);
      if (health.isServing()) {
        serving.add(upstream);
      } else {
        serving.remove(upstream);
      }
    }
    leader().ifPresent(led::add);
  }

  /** Forgets an upstream that discovery no longer returns. */
  void onGone(String upstream) {
    serving.remove(upstream);
    unreachable.remove(upstream);
    led.remove(upstream);
    leader().ifPresent(led::add);
  }

  /** Returns the upstream that gets all connections; empty while there is none. */
  Optional<String> leader() {
    return serving.reversed().stream().filter(u -> !unreachable.contains(u)).findFirst();
  }

  boolean isLeader(String upstream) {
    return leader().filter(upstream::equals).isPresent();
  }

  /** Whether it once led, so that it may still have connections that now belong to the leader. */
  boolean isFormerLeader(String upstream) {
    return led.contains(upstream) && !isLeader(upstream);
  }
}
