package dev.waymark.tools.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** What befalls an upstream, and which. Immutable. */
record Fault(Kind kind, int upstream) {
  enum Kind {
    KILL("is killed (SIGKILL)"),
    FREEZE("is frozen (SIGSTOP)"),
    DRAIN("drains, then ends"),
    RESTART("is told to end (SIGTERM)");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** What becomes of the upstream. */
    String text() {
      return text;
    }

    /** For a count of them. */
    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** One of each kind in a random order, upstreams in turn; then again. Confined to one thread. */
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
