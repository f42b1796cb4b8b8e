package dev.waymark.api.http;

/**
 * Who sends a request, and what they may do. Immutable.
 *
 * @param name for the audit log
 * @param mayOperate whether they may change something, not only read
 */
public record Sender(String name, boolean mayOperate) implements Authentication {
  /** Sends a request to a route that is open to everybody; {@link Route#isOpen}. */
  public static final Sender ANYBODY = new Sender("anybody", false);
}
