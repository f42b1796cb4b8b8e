package dev.waymark.upstreams;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Who leads a pool whose upstreams elect a leader among themselves and show it by SERVING: the one
 * that turned SERVING last, of those that can be asked. An old leader that has not noticed, and
 * still says SERVING, leads nobody: neither all the time, nor when its Watch broke and is back.
 * Confined to the control thread.
 */
final class Leadership {
  /** In the order in which they turned SERVING; none has said otherwise since. */
  private final LinkedHashSet<String> serving = new LinkedHashSet<>();

  /** Their Watch is broken, which says nothing of what they would say: each keeps its place. */
  private final Set<String> unreachable = new HashSet<>();

  private final Set<String> led = new HashSet<>();

  /** Its health changed, or is what it was. */
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

  /** Discovery does not name it any more. */
  void onGone(String upstream) {
    serving.remove(upstream);
    unreachable.remove(upstream);
    led.remove(upstream);
    leader().ifPresent(led::add);
  }

  /** To whom all connections belong; empty while there is none. */
  Optional<String> leader() {
    return serving.reversed().stream().filter(one -> !unreachable.contains(one)).findFirst();
  }

  boolean isLeader(String upstream) {
    return leader().filter(upstream::equals).isPresent();
  }

  /** It led and does not any more, so that it may have connections of another's. */
  boolean isFormerLeader(String upstream) {
    return led.contains(upstream) && !isLeader(upstream);
  }
}
