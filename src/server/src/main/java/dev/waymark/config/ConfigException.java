package dev.waymark.config;

/**
 * A configuration that cannot be used. The message is for the user: place, key, value, what is
 * expected, remedy.
 */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }
}
