package dev.waymark.telemetry;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Forwards java.util.logging, which gRPC uses, to SLF4J, so that there is one log in one format.
 * Thread-safe.
 */
final class JulHandler extends Handler {
  private final SimpleFormatter formatter = new SimpleFormatter();

  @Override
  public void publish(LogRecord entry) {
    String name =
        entry.getLoggerName() == null || entry.getLoggerName().isEmpty()
            ? "java"
            : entry.getLoggerName();
    LoggerFactory.getLogger(name)
        .atLevel(level(entry.getLevel().intValue()))
        .setCause(entry.getThrown())
        .log(formatter.formatMessage(entry));
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}

  private static Level level(int jul) {
    if (jul >= java.util.logging.Level.SEVERE.intValue()) {
      return Level.ERROR;
    }
    if (jul >= java.util.logging.Level.WARNING.intValue()) {
      return Level.WARN;
    }
    return jul >= java.util.logging.Level.INFO.intValue() ? Level.INFO : Level.DEBUG;
  }
}
