package dev.waymark.tools.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** A kind of fault and the upstream that it hits. Immutable. */
record Fault(Kind kind, int upstream) {
  enum Kind {
    KILL("is killed (SIGKILL)"),
    FREEZE("is frozen (SIGSTOP)"),
    DRAIN("drains, then stops"),
    RESTART("is stopped (SIGTERM)");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** What happens to the upstream. */
    String text() {
      return text;
    }

    /** The name in the summary. */
    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * An endless sequence of faults: in each round one of each kind in random order, with the
   * upstreams in turn. Confined to one thread.
   */
  static final class Plan {
    private final SplittableRandom random;
    private final int upstreams;
    private final List<Kind> round = new ArrayList<>();
    private int upstream;

    Plan(long seed, int upstreams) {
      this.random = new SplittableRandom(seed);
      this.upstreams = upstreams;
      this.upstream = random.nextInt(upstreams);
    }

    Fault next() {
      if (round.isEmpty()) {
        round.addAll(List.of(Kind.values()));
      }
      upstream = (upstream + 1) % upstreams;
      return new Fault(round.remove(random.nextInt(round.size())), upstream);
    }
  }
}
