package dev.waymark.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a proxy in front of the bridge said about a client in the header of the PROXY protocol.
 * Corresponds to {@code ProxyFacts} in attach.proto. Immutable.
 *
 * @param version of the PROXY protocol, 1 or 2
 * @param isLocal whether the proxy speaks for itself, as load balancers do for health checks
 * @param proxyAddress the proxy's host:port, IPv6 in brackets
 * @param sourceAddress the client's host:port, or unix:PATH; empty if the proxy did not say
 * @param destinationAddress what the client dialled, likewise
 * @param authority the host that the client asked for, such as SNI; empty if the proxy did not say
 * @param applicationProtocol ALPN, likewise
 * @param uniqueId what the proxy calls the connection, likewise; do not modify the array
 * @param tls null if the client did not speak TLS with the proxy
 * @param others all other TLVs, in order
 * @param isCut whether something was left out because it exceeded {@link
 *     SizeLimits#PROXY_BYTES_MAX}
 */
public record ProxyFacts(
    int version,
    boolean isLocal,
    String proxyAddress,
    String sourceAddress,
    String destinationAddress,
    String authority,
    String applicationProtocol,
    byte[] uniqueId,
    @Nullable Tls tls,
    List<Tlv> others,
    boolean isCut) {
  /**
   * The TLS between the client and the proxy. Immutable.
   *
   * @param version such as TLSv1.3; empty if the proxy did not say
   * @param cipher likewise
   * @param hasClientCertificate whether the client presented a certificate, in this connection or
   *     in the session that it resumed
   * @param isVerified whether the proxy has verified the certificate
   * @param commonName of the certificate; empty if the proxy did not say
   * @param others all other TLVs within that of TLS, in order
   */
  public record Tls(
      String version,
      String cipher,
      boolean hasClientCertificate,
      boolean isVerified,
      String commonName,
      List<Tlv> others) {
    public Tls {
      others = List.copyOf(others);
    }
  }

  /**
   * A value with its number in PROXY protocol version 2. Immutable.
   *
   * @param type 0 to 255
   * @param value do not modify the array
   */
  public record Tlv(int type, byte[] value) {}

  private static final String UNIX = "unix:";

  public ProxyFacts {
    others = List.copyOf(others);
  }

  /** The text form of the address of a Unix domain socket. */
  public static String unixAddress(String path) {
    return UNIX + path;
  }

  /** Whether the proxy named the client by an IP address. */
  public boolean hasClientAddress() {
    return !sourceAddress.isEmpty() && !sourceAddress.startsWith(UNIX);
  }
}
