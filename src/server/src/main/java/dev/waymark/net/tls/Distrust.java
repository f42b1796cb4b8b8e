package dev.waymark.net.tls;

import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.util.Optional;

/** Why a certificate is not trusted. Immutable. */
public enum Distrust {
  EXPIRED,
  REVOKED,
  /** There is no path to a trusted CA, or another rule is violated. */
  INVALID;

  /** How deep causes are searched. */
  private static final int CAUSES_MAX = 10;

  /** The reason in a failure or its causes; empty if no certificate is the cause. */
  public static Optional<Distrust> in(Throwable failure) {
    Optional<Distrust> found = Optional.empty();
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < CAUSES_MAX; depth++) {
      if (cause instanceof CertPathValidatorException invalid) {
        if (invalid.getReason() == BasicReason.REVOKED) {
          return Optional.of(REVOKED);
        }
        if (invalid.getReason() == BasicReason.EXPIRED) {
          return Optional.of(EXPIRED);
        }
      }
      if (cause instanceof CertificateExpiredException) {
        return Optional.of(EXPIRED);
      }
      if (cause instanceof CertificateException || cause instanceof CertPathValidatorException) {
        found = Optional.of(INVALID);
      }
      cause = cause.getCause();
    }
    return found;
  }
}
