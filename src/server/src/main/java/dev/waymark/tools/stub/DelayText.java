package dev.waymark.tools.stub;

import dev.waymark.config.DurationText;
import java.time.Duration;

/** The text form of delays: {@code 100ms}, {@code 2s}, {@code 1m}. Stateless. */
public final class DelayText {
  private static final Duration MAX = Duration.ofHours(1);

  private DelayText() {}

  /**
   * Parses a delay. 0 needs no unit.
   *
   * @throws IllegalArgumentException if the text is not a delay of at most an hour; the message
   *     says why
   */
  public static Duration parse(String text) {
    Duration delay = DurationText.parse(text);
    if (delay == null) {
      throw new IllegalArgumentException(
          "'"
              + text
              + "' is not a duration (expected: a number with ms, s, m or h, such as 100ms)");
    }
    if (delay.compareTo(MAX) > 0) {
      throw new IllegalArgumentException("'" + text + "' is longer than an hour");
    }
    return delay;
  }
}
