package dev.waymark.config;

/**
 * Logging. Immutable.
 *
 * @param isAccessLogged whether a line is logged at the end of every connection
 */
public record LogConfig(Format format, Level level, boolean isAccessLogged) {
  public enum Format {
    TEXT,
    JSON
  }

  public enum Level {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
  }
}
