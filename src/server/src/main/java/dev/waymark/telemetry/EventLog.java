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
 * The only place that logs. Thread-safe. WARN and ERROR events are limited to {@value
 * RateLimit#LINES_MAX} lines per event in ten seconds (or per event and reason); the next line then
 * says how many were suppressed.
 */
public final class EventLog {
  /** How many kinds of errors are remembered, to log the stack trace of each only once. */
  private static final int DISTINCT_ERRORS_MAX = 256;

  /** Reasons beyond this many share the limit of their event. */
  private static final int REASONS_MAX = 1_000;

  private static final String SUPPRESSED = "suppressed";

  private record Reason(Event event, String what) {}

  private final LongSupplier clockNs;
  private final Map<Event, Logger> loggers = new EnumMap<>(Event.class);
  private final Map<Event, RateLimit> limits = new EnumMap<>(Event.class);

  /** Of events whose lines are limited by reason: a flood of one must not hide the others. */
  private final Map<Reason, RateLimit> limitsByReason = new ConcurrentHashMap<>();

  private final Set<String> errorsLogged = ConcurrentHashMap.newKeySet();

  /**
   * Creates the log; there should be one per process.
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

  /** Whether a line would be written; check before computing the values of a DEBUG event. */
  public boolean isEnabled(Event event) {
    return logger(event).isEnabledForLevel(event.level());
  }

  /**
   * Writes one line.
   *
   * @param keyValues key, value, key, value…; a {@link Throwable} is written as text, and the first
   *     of its kind also with its stack trace
   */
  public void write(Event event, @Nullable Object... keyValues) {
    write(event, limits.get(event), keyValues);
  }

  /**
   * Writes one line, limited together with those of the same event and reason only.
   *
   * @param reason one of a few
   */
  public void writeFor(Event event, String reason, @Nullable Object... keyValues) {
    RateLimit limit =
        limitsByReason.size() < REASONS_MAX
            ? limitsByReason.computeIfAbsent(new Reason(event, reason), _ -> new RateLimit())
            : limitsByReason.getOrDefault(new Reason(event, reason), limits.get(event));
    write(event, limit, keyValues);
  }

  private void write(Event event, @Nullable RateLimit limit, @Nullable Object... keyValues) {
    Check.that(keyValues.length % 2 == 0, "keys and values come in pairs");
    if (!isEnabled(event)) {
      return;
    }
    long suppressed = limit == null ? 0 : limit.pass(clockNs.getAsLong());
    if (suppressed == RateLimit.REFUSED) {
      return;
    }
    LoggingEventBuilder line = line(event);
    for (int i = 0; i < keyValues.length; i += 2) {
      Object value = keyValues[i + 1];
      line = line.addKeyValue(String.valueOf(keyValues[i]), value);
      if (value instanceof Throwable error && isFirstOfItsKind(error)) {
        line = line.setCause(error);
      }
    }
    (suppressed == 0 ? line : line.addKeyValue(SUPPRESSED, suppressed)).log();
  }

  /** Logs that this many lines were dropped here because the output did not accept them. */
  public void onDropped(long lines) {
    write(Event.LOG_DROPPED, "lines", lines);
  }

  /**
   * Logs the counts of suppressed lines that no later line of their event has reported. Must be
   * called periodically, and before the process ends.
   */
  public void writeSuppressed() {
    long nowNs = clockNs.getAsLong();
    limits.forEach((event, limit) -> {
      long suppressed = limit.takeOverdue(nowNs);
      if (suppressed > 0) {
        line(event).addKeyValue(SUPPRESSED, suppressed).log();
      }
    });
    limitsByReason.forEach((reason, limit) -> {
      long suppressed = limit.takeOverdue(nowNs);
      if (suppressed > 0) {
        line(reason.event())
            .addKeyValue("reason", reason.what())
            .addKeyValue(SUPPRESSED, suppressed)
            .log();
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

  private boolean isFirstOfItsKind(Throwable error) {
    StackTraceElement[] stack = error.getStackTrace();
    String kind = error.getClass().getName() + (stack.length == 0 ? "" : stack[0]);
    return errorsLogged.size() < DISTINCT_ERRORS_MAX && errorsLogged.add(kind);
  }
}
