package dev.waymark.tools.demo;

/** Thrown if the demo cannot continue. The message is for the user. */
public final class DemoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DemoException(String message) {
    super(message);
  }
}
