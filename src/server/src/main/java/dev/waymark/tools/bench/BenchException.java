package dev.waymark.tools.bench;

/** Something that the user can mend before it starts; the message says how. */
public final class BenchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BenchException(String message) {
    super(message);
  }
}
