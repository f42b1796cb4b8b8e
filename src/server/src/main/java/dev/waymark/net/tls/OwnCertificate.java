package dev.waymark.net.tls;

import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A certificate that is in force here, for logs and metrics. Immutable.
 *
 * @param name what people call it
 * @param serial its serial number, in lower-case hexadecimal
 */
public record OwnCertificate(String name, String serial, Instant notAfter) {
  private static final String NONE = "none";

  static OwnCertificate of(Identity identity) {
    return new OwnCertificate(
        identity.label(),
        identity.certificate().getSerialNumber().toString(16),
        identity.notAfter());
  }

  /** The keys and values of a log line about these certificates, each in the same order. */
  public static List<Object> logged(List<OwnCertificate> certificates) {
    return List.of(
        "certificates",
        joined(certificates, OwnCertificate::name),
        "serials",
        joined(certificates, OwnCertificate::serial),
        "not-after",
        joined(certificates, own -> own.notAfter().toString()));
  }

  private static String joined(
      List<OwnCertificate> certificates, Function<OwnCertificate, String> part) {
    return certificates.isEmpty()
        ? NONE
        : certificates.stream().map(part).collect(Collectors.joining(","));
  }
}
