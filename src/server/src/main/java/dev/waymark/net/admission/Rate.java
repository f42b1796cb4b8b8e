package dev.waymark.net.admission;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * A number of events per second, minute or hour. As many may come at once after a pause of that
 * length; otherwise each waits for its share of the time. Immutable.
 *
 * <p>The state of a bucket of tokens is a single number: the instant at which the bucket will be
 * full. Each event takes the bucket further away from being full, by the time in which one token
 * comes (the generic cell rate algorithm of ITU-T I.371, A.1). It needs no refill and cannot
 * overflow.
 *
 * @param count at least 1
 * @param unit second, minute or hour
 */
public record Rate(int count, TimeUnit unit) {
  /** What the text of a rate looks like, for messages. */
  public static final String EXPECTED = "a rate from 1/h to 1000000/s, such as 100/s, 20/m or 5/h";

  /** The form of the text, as a regular expression. */
  public static final String PATTERN = "[1-9][0-9]{0,6}/[smh]";

  private static final Pattern FORM = Pattern.compile(PATTERN);
  private static final int COUNT_MAX = 1_000_000;
  private static final Map<String, TimeUnit> UNITS =
      Map.of("s", TimeUnit.SECONDS, "m", TimeUnit.MINUTES, "h", TimeUnit.HOURS);

  /**
   * Reads a rate such as 100/s.
   *
   * @throws IllegalArgumentException whose message is what is expected instead
   */
  public static Rate read(String text) {
    if (!FORM.matcher(text).matches()) {
      throw new IllegalArgumentException(EXPECTED);
    }
    int slash = text.indexOf('/');
    int count = Integer.parseInt(text.substring(0, slash));
    if (count > COUNT_MAX) {
      throw new IllegalArgumentException(EXPECTED);
    }
    return new Rate(count, Objects.requireNonNull(UNITS.get(text.substring(slash + 1))));
  }

  /** The time in which one token comes. */
  long intervalNs() {
    return unit.toNanos(1) / count;
  }

  /** How long an empty bucket takes to be full. */
  long fillNs() {
    return count * intervalNs();
  }

  /**
   * The state of a bucket that was filled at another rate: what it lacks is at most all of this
   * one.
   */
  long bounded(long fullAtNs, long nowNs) {
    return Math.min(fullAtNs, nowNs + fillNs());
  }

  /**
   * Whether an event may happen now.
   *
   * @param fullAtNs when the bucket will be full; anything in the past if it is full
   * @param costNs how much time the event takes from the bucket
   */
  boolean allows(long fullAtNs, long costNs, long nowNs) {
    return missingNs(fullAtNs, nowNs) + costNs <= fillNs();
  }

  /** When the bucket will be full after an event that happens now. */
  static long after(long fullAtNs, long costNs, long nowNs) {
    return nowNs + missingNs(fullAtNs, nowNs) + costNs;
  }

  /** How far the bucket is from being full. */
  static long missingNs(long fullAtNs, long nowNs) {
    return Math.max(0, fullAtNs - nowNs);
  }

  /** The form in which it is written. */
  @Override
  public String toString() {
    return UNITS.entrySet().stream()
        .filter(each -> each.getValue() == unit)
        .map(each -> count + "/" + each.getKey())
        .findFirst()
        .orElse(count + " per " + unit);
  }
}
