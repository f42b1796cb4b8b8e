package dev.waymark.telemetry;

import dev.waymark.protocol.Check;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * The only place that logs. Thread-safe. Events of WARN and ERROR are limited to {@value
 * RateLimit#LINES_MAX} lines of a kind in ten seconds; the next line then says how many were
 * suppressed.
 */
public final class EventLog {
  /** Distinct errors whose stack traces are remembered as told. */
  private static final int DISTINCT_ERRORS_MAX = 256;

  private static final String SUPPRESSED = "suppressed";

  private final LongSupplier clockNs;
  private final Map<Event, Logger> loggers = new EnumMap<>(Event.class);
  private final Map<Event, RateLimit> limits = new EnumMap<>(Event.class);
  private final Set<String> errorsTold = ConcurrentHashMap.newKeySet();

  /**
   * A log; one per process is meant.
   *
   * @param clockNs monotonic
   */
  public EventLog(LongSupplier clockNs) {
    this.clockNs = clockNs;
    for (Event event : Event.values()) {
      loggers.put(event, LoggerFactory.getLogger(event.logger()));
      if (event.isRateLimited()) {
        limits.put(event, new RateLimit());
      }
    }
  }

  /** Whether a line would be written; ask before the values of a DEBUG event cost anything. */
  public boolean isEnabled(Event event) {
    return logger(event).isEnabledForLevel(event.level());
  }

  /**
   * Writes one line.
   *
   * @param keyValues key, value, key, value…; a {@link Throwable} as value is written as text, the
   *     first of its kind with its stack
   */
  public void write(Event event, @Nullable Object... keyValues) {
    Check.that(keyValues.length % 2 == 0, "keys and values come in pairs");
    if (!isEnabled(event)) {
      return;
    }
    RateLimit limit = limits.get(event);
    long suppressed = limit == null ? 0 : limit.pass(clockNs.getAsLong());
    if (suppressed == RateLimit.REFUSED) {
      return;
    }
    LoggingEventBuilder line = line(event);
    for (int i = 0; i < keyValues.length; i += 2) {
      Object value = keyValues[i + 1];
      line = line.addKeyValue(String.valueOf(keyValues[i]), value);
      if (value instanceof Throwable error && isFirst(error)) {
        line = line.setCause(error);
      }
    }
    (suppressed == 0 ? line : line.addKeyValue(SUPPRESSED, suppressed)).log();
  }

  /** So many lines are missing where this one stands, as nobody took them. */
  public void onDropped(long lines) {
    write(Event.LOG_DROPPED, "lines", lines);
  }

  /**
   * Tells what was suppressed where no further event of the kind came to tell it. To be called now
   * and then, and at the end.
   */
  public void writeSuppressed() {
    long nowNs = clockNs.getAsLong();
    limits.forEach((event, limit) -> {
      long suppressed = limit.takeOverdue(nowNs);
      if (suppressed > 0) {
        line(event).addKeyValue(SUPPRESSED, suppressed).log();
      }
    });
  }

  private LoggingEventBuilder line(Event event) {
    Level level = event.level();
    return logger(event).atLevel(level).setMessage(event.label());
  }

  private Logger logger(Event event) {
    return Objects.requireNonNull(loggers.get(event));
  }

  private boolean isFirst(Throwable error) {
    StackTraceElement[] stack = error.getStackTrace();
    String kind = error.getClass().getName() + (stack.length == 0 ? "" : stack[0]);
    return errorsTold.size() < DISTINCT_ERRORS_MAX && errorsTold.add(kind);
  }
}
