package dev.waymark.protocol;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a listener negotiated with a client over TLS. Corresponds to {@code TlsFacts} in
 * attach.proto. Immutable.
 *
 * @param version such as TLSv1.3
 * @param cipher its name in the registry of IANA
 * @param serverName SNI; empty if the client sent none
 * @param applicationProtocol ALPN, likewise
 * @param client null if the client presented no certificate
 */
public record TlsFacts(
    String version,
    String cipher,
    String serverName,
    String applicationProtocol,
    @Nullable ClientCertificate client) {
  /**
   * A client's certificate, which the listener has verified. Immutable.
   *
   * @param subject the distinguished name (RFC 2253)
   * @param alternativeNames as type:value, such as DNS:device.example.com
   * @param areNamesCut whether names were cut to {@link SizeLimits#CERTIFICATE_NAME_BYTES_MAX}
   * @param serial in lower-case hexadecimal
   * @param sha256 of the DER form; do not modify the array
   * @param notBefore with a precision of milliseconds
   * @param notAfter likewise
   */
  public record ClientCertificate(
      String subject,
      List<String> alternativeNames,
      boolean areNamesCut,
      String serial,
      byte[] sha256,
      Instant notBefore,
      Instant notAfter) {
    public ClientCertificate {
      alternativeNames = List.copyOf(alternativeNames);
    }
  }
}
