package dev.waymark.net.tls;

import java.nio.file.Path;

/** A file for TLS cannot be used; the message names it, what is wrong and the remedy. */
public final class TlsFileException extends Exception {
  private final transient Path file;
  private final boolean lacksKey;

  TlsFileException(Path file, String problem) {
    this(file, problem, false);
  }

  private TlsFileException(Path file, String problem, boolean lacksKey) {
    super(file + ": " + problem);
    this.file = file;
    this.lacksKey = lacksKey;
  }

  static TlsFileException withoutKey(Path file) {
    return new TlsFileException(file, "has no private key (-----BEGIN PRIVATE KEY-----)", true);
  }

  /** The file that cannot be used. */
  public Path file() {
    return file;
  }

  /** The message, which is never null. */
  public String problem() {
    return String.valueOf(getMessage());
  }

  /**
   * The message, and which flag or key sets what is missing.
   *
   * @param name the flag, variable or key that names the file, such as --tls-certificate
   */
  public String problem(String name) {
    String key = name.replaceFirst("certificate$", "key").replaceFirst("CERTIFICATE$", "KEY");
    return lacksKey && !key.equals(name)
        ? problem() + "; add it, or name the file that has it with " + key
        : problem();
  }
}
