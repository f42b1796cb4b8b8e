package dev.waymark.tools.demo;

/** The demo cannot go on; the message is for the user. */
public final class DemoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DemoException(String message) {
    super(message);
  }
}
