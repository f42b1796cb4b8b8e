package dev.waymark.tools.ctl;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Values as people read them. Stateless. */
final class Wording {
  private static final long SECOND_MS = 1_000;
  private static final long MINUTE_MS = 60 * SECOND_MS;
  private static final long HOUR_MS = 60 * MINUTE_MS;
  private static final long DAY_MS = 24 * HOUR_MS;

  /** A unit is used from twice its length on. */
  private static final int UNITS_MIN = 2;

  private static final int PERCENT = 100;

  private Wording() {}

  /** A length of time, with two digits or so: {@code 0.4 s}, {@code 95 s}, {@code 3 min}. */
  static String time(long ms) {
    if (ms < 10 * SECOND_MS) {
      return String.format(Locale.ROOT, "%.1f s", ms / (double) SECOND_MS);
    }
    if (ms < UNITS_MIN * MINUTE_MS) {
      return ms / SECOND_MS + " s";
    }
    if (ms < UNITS_MIN * HOUR_MS) {
      return ms / MINUTE_MS + " min";
    }
    return ms < UNITS_MIN * DAY_MS ? ms / HOUR_MS + " h" : ms / DAY_MS + " d";
  }

  static String count(long count, String thing) {
    return count + " " + thing + (count == 1 ? "" : "s");
  }

  static String percent(double share) {
    return Math.round(share * PERCENT) + " %";
  }

  static String labels(Map<String, String> labels) {
    List<String> pairs = new ArrayList<>();
    labels.forEach((name, value) -> pairs.add(name + "=" + value));
    return String.join(" ", pairs);
  }
}
