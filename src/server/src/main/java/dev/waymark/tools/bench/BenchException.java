package dev.waymark.tools.bench;

/** A problem that the user can fix before the run starts. The message says how. */
public final class BenchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BenchException(String message) {
    super(message);
  }
}
