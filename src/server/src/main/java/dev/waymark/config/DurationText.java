package dev.waymark.config;

import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations as text: a whole number with its unit, such as {@code 500ms}. Stateless. */
public final class DurationText {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,15})([a-z]{1,2})");
  private static final Map<String, Duration> UNITS =
      Map.of(
          "ms", Duration.ofMillis(1),
          "s", Duration.ofSeconds(1),
          "m", Duration.ofMinutes(1),
          "h", Duration.ofHours(1));

  private DurationText() {}

  /** The duration of this text, or null if it is none; zero needs no unit. */
  public static @Nullable Duration parse(String text) {
    if (text.equals("0")) {
      return Duration.ZERO;
    }
    Matcher parts = FORM.matcher(text);
    Duration unit = parts.matches() ? unit(parts.group(2)) : null;
    return unit == null ? null : unit.multipliedBy(Long.parseLong(parts.group(1)));
  }

  /** One of the unit {@code ms}, {@code s}, {@code m} or {@code h}; null for other text. */
  public static @Nullable Duration unit(String text) {
    return UNITS.get(text);
  }
}
