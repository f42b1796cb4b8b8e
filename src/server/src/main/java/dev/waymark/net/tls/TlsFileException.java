package dev.waymark.net.tls;

import java.nio.file.Path;

/** A file for TLS cannot be used; the message names it, what is wrong and the remedy. */
public final class TlsFileException extends Exception {
  TlsFileException(Path file, String problem) {
    super(file + ": " + problem);
  }

  /** The message, which is never null. */
  public String problem() {
    return String.valueOf(getMessage());
  }
}
