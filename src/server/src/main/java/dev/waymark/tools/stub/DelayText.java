package dev.waymark.tools.stub;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Delays as people write them: {@code 100ms}, {@code 2s}, {@code 1m}. Stateless. */
public final class DelayText {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,7})(ms|s|m)?");
  private static final Duration MAX = Duration.ofHours(1);

  private DelayText() {}

  /**
   * The delay of this text; 0 needs no unit.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  public static Duration parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches() || (matcher.group(2) == null && !text.equals("0"))) {
      throw new IllegalArgumentException(
          "'" + text + "' is no duration (expected: a number with ms, s or m, such as 100ms)");
    }
    long number = Long.parseLong(matcher.group(1));
    String unit = matcher.group(2);
    Duration delay =
        "s".equals(unit)
            ? Duration.ofSeconds(number)
            : "m".equals(unit) ? Duration.ofMinutes(number) : Duration.ofMillis(number);
    if (delay.compareTo(MAX) > 0) {
      throw new IllegalArgumentException("'" + text + "' is longer than an hour");
    }
    return delay;
  }
}
