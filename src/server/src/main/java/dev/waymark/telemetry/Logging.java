package dev.waymark.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.jul.LevelChangePropagator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import dev.waymark.config.LogConfig;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import java.util.logging.LogManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets up the log of the process. Libraries are logged from WARN on, unless their level is changed
 * at run time. Thread-safe.
 */
public final class Logging {
  /** The logger of all events except the access log and the audit log. */
  public static final String LOGGER = "waymark";

  /** The logger of the access log: one line per connection. */
  public static final String ACCESS_LOGGER = "waymark.access";

  /** The logger of operations on the admin port; the configured level does not apply to it. */
  public static final String AUDIT_LOGGER = "waymark.audit";

  private Logging() {}

  /** Logs everything to {@code out}, line by line. May be called again; the last call wins. */
  public static void configure(LogConfig config, OutputStream out) {
    LoggerContext context = context();
    context.reset();
    configure(
        context,
        switch (config.format()) {
          case TEXT -> new TextEncoder();
          case JSON -> new JsonLineEncoder();
        },
        out);
    setLevels(config);
    bridgeJul(context);
  }

  /** Applies only the levels of a configuration. */
  public static void setLevels(LogConfig config) {
    LoggerContext context = context();
    Level level = Level.toLevel(config.level().name());
    context
        .getLogger(Logger.ROOT_LOGGER_NAME)
        .setLevel(level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN);
    // gRPC sets SO_KEEPALIVE on Unix sockets, too, and Netty warns about it at every connect.
    context.getLogger("io.netty.bootstrap").setLevel(Level.ERROR);
    // It warns about individual frames, as often as a peer sends them and with text that the peer
    // chose. Whatever breaks a lane or a Watch is in their own events.
    context.getLogger("io.grpc.netty").setLevel(Level.ERROR);
    context.getLogger("dev.waymark").setLevel(level);
    context.getLogger(LOGGER).setLevel(level);
    context.getLogger(ACCESS_LOGGER).setLevel(config.isAccessLogged() ? null : Level.OFF);
    context.getLogger(AUDIT_LOGGER).setLevel(Level.INFO);
  }

  static void configure(LoggerContext context, Encoder<ILoggingEvent> encoder, OutputStream out) {
    encoder.setContext(context);
    encoder.start();
    OutputStreamAppender<ILoggingEvent> appender = new OutputStreamAppender<>();
    appender.setContext(context);
    appender.setEncoder(encoder);
    appender.setOutputStream(unclosed(out));
    appender.start();
    context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
  }

  /** Returns the effective level of a logger or a parent of loggers; empty if it does not exist. */
  public static Optional<String> level(String logger) {
    ch.qos.logback.classic.Logger found = context().exists(logger);
    return Optional.ofNullable(found).map(l -> l.getEffectiveLevel().toString());
  }

  /**
   * Sets the level of an existing logger; returns false if there is none. Does not create loggers,
   * so that callers cannot fill the memory with names.
   */
  public static boolean setLevel(String logger, LogConfig.Level level) {
    ch.qos.logback.classic.Logger found = context().exists(logger);
    if (found == null) {
      return false;
    }
    found.setLevel(Level.toLevel(level.name()));
    return true;
  }

  static boolean isOwn(String logger) {
    return logger.equals(LOGGER) || logger.equals(ACCESS_LOGGER) || logger.equals(AUDIT_LOGGER);
  }

  /** Keeps the stream open when Logback closes the appender: it is a standard stream. */
  private static OutputStream unclosed(OutputStream out) {
    return new FilterOutputStream(out) {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
      }

      @Override
      public void close() throws IOException {
        out.flush();
      }
    };
  }

  private static LoggerContext context() {
    return (LoggerContext) LoggerFactory.getILoggerFactory();
  }

  private static void bridgeJul(LoggerContext context) {
    LevelChangePropagator propagator = new LevelChangePropagator();
    propagator.setContext(context);
    propagator.setResetJUL(true);
    propagator.start();
    context.addListener(propagator);
    java.util.logging.Logger root = LogManager.getLogManager().getLogger("");
    for (var handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    root.addHandler(new JulHandler());
  }
}
