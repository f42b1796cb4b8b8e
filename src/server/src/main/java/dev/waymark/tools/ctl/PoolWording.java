package dev.waymark.tools.ctl;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** What a bridge says of a pool and its instances. Stateless. */
final class PoolWording {
  private static final int WHOLE_PERCENT = 100;

  private PoolWording() {}

  /** A pool and its source. */
  static String summary(Fields pool) {
    Fields source = pool.in("source");
    List<String> parts = new ArrayList<>();
    parts.add("pool " + pool.text("pool") + " follows " + pool.text("target"));
    if (!source.text("server").isEmpty()) {
      parts.add("connected to " + source.text("server") + forTime(source.number("connectedForMs")));
    }
    source
        .number("heardForMs")
        .ifPresent(ms -> parts.add("heard from " + Wording.time(ms) + " ago"));
    if (!source.text("version").isEmpty()) {
      parts.add("version " + source.text("version"));
    }
    if (source.count("kept") > 0) {
      parts.add("keeps " + source.count("kept") + " that the registry does not name");
    }
    return String.join(", ", parts);
  }

  /** What is wrong with the source; empty if nothing is. */
  static String problem(Fields source) {
    return source.text("problem").isEmpty()
        ? ""
        : source.text("cause")
            + forTime(source.number("problemForMs"))
            + ": "
            + source.text("problem");
  }

  /** What the source says of an instance. */
  static String listing(Fields instance) {
    if (!instance.has("listing")) {
      return "does not name it";
    }
    Fields listing = instance.in("listing");
    List<String> parts = new ArrayList<>();
    parts.add(listing.text("health") + forTime(listing.number("forMs")));
    if (listing.isTrue("isDamped")) {
      parts.add("damped");
    }
    if (listing.isTrue("isKept")) {
      parts.add("kept though the registry does not name it");
    }
    parts.addAll(properties(listing));
    return String.join(", ", parts);
  }

  /** Weight, priority and labels, as far as they are worth a word. */
  static List<String> properties(Fields instance) {
    List<String> parts = new ArrayList<>();
    if (instance.count("weight") > 1) {
      parts.add("weight " + instance.count("weight"));
    }
    if (instance.count("priority") > 0) {
      parts.add("priority " + instance.count("priority"));
    }
    if (!instance.map("labels").isEmpty()) {
      parts.add(Wording.labels(instance.map("labels")));
    }
    return parts;
  }

  /** Whether the pool uses an instance, or why not. */
  static String use(Fields instance) {
    Fields upstream = instance.in("upstream");
    String state = upstream.text("state");
    List<String> parts = new ArrayList<>();
    if (instance.isTrue("isUsed")) {
      parts.add("used" + forTime(instance.number("forMs")));
      parts.add("weight " + weight(upstream));
    } else {
      String how = state.isEmpty() ? "" : ", " + state;
      parts.add("not used" + forTime(instance.number("forMs")) + how + ": " + instance.text("why"));
    }
    instance
        .number("ejectedForMs")
        .ifPresent(ms -> parts.add("ends in " + Wording.time(Math.max(0, ms))));
    if (instance.isTrue("isUsed") || instance.count("connections") > 0) {
      parts.add(Wording.count(instance.count("connections"), "connection"));
    }
    return String.join("; ", parts);
  }

  private static String weight(Fields upstream) {
    long percent = upstream.number("slowStartPercent").orElse(WHOLE_PERCENT);
    return upstream.count("weight")
        + (percent < WHOLE_PERCENT ? " at " + percent + " % (slow start)" : "");
  }

  private static String forTime(OptionalLong ms) {
    return ms.isPresent() ? " for " + Wording.time(ms.getAsLong()) : "";
  }
}
