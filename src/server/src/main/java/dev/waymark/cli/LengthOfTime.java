package dev.waymark.cli;

import dev.waymark.config.DurationText;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Converters for flags that take a duration: a plain number in the flag's unit, or a number with a
 * unit, such as {@code 30}, {@code 30s} or {@code 0.5m}. Stateless.
 */
public final class LengthOfTime {
  private static final Pattern WITH_UNIT =
      Pattern.compile("([0-9]{1,9}(?:\\.[0-9]{1,9})?)([a-z]{1,2})");
  private static final double MS_PER_SECOND = 1e3;

  private LengthOfTime() {}

  /** Seconds; a plain number means seconds. */
  public static final class Seconds implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      return seconds(text, 1, "seconds");
    }
  }

  /** Whole seconds, rounded up; a plain number means seconds. */
  public static final class WholeSeconds implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return whole(text, seconds(text, 1, "seconds"));
    }
  }

  /** Whole milliseconds, rounded up; a plain number means milliseconds. */
  public static final class Millis implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return whole(text, seconds(text, 1 / MS_PER_SECOND, "milliseconds") * MS_PER_SECOND);
    }
  }

  private static double seconds(String text, double plainUnit, String plainName) {
    Matcher parts = WITH_UNIT.matcher(text);
    Duration unit = parts.matches() ? DurationText.unit(parts.group(2)) : null;
    if (unit != null) {
      return Double.parseDouble(parts.group(1)) * unit.toMillis() / MS_PER_SECOND;
    }
    try {
      return Double.parseDouble(text) * plainUnit;
    } catch (NumberFormatException neither) {
      throw new TypeConversionException(
          "'" + text + "' (expected: " + plainName + ", such as 30, or 500ms, 30s, 5m or 1h)");
    }
  }

  private static int whole(String text, double amount) {
    // Do not round up a rounding error of the conversion.
    double rounded = Math.ceil(amount - 1e-6);
    if (!(Math.abs(rounded) <= Integer.MAX_VALUE)) {
      throw new TypeConversionException("'" + text + "' is too long");
    }
    return (int) rounded;
  }
}
