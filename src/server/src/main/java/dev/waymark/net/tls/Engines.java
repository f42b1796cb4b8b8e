package dev.waymark.net.tls;

import dev.waymark.config.ConfigException;
import dev.waymark.config.TlsKeys.Engine;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;
import java.util.Objects;

/**
 * Chooses what speaks TLS: BoringSSL, which needs a fraction of the JDK's CPU for a handshake, or
 * the JDK. Stateless.
 */
public final class Engines {
  /**
   * Closes the connection of a client that renegotiates (RFC 5246, section 7.4.1.1), as BoringSSL
   * does.
   */
  private static final String REJECT_RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";

  private Engines() {}

  /**
   * Returns the wanted engine; AUTO takes BoringSSL if its library loads.
   *
   * @throws ConfigException if BoringSSL is wanted and does not load
   */
  static SslProvider choose(Engine wanted) {
    System.getProperties().putIfAbsent(REJECT_RENEGOTIATION, "true");
    boolean isJdk = wanted == Engine.JDK || (wanted == Engine.AUTO && !OpenSsl.isAvailable());
    if (!isJdk && !OpenSsl.isAvailable()) {
      throw new ConfigException(
          "tls.engine: boringssl does not load here (" + missing() + "); use tls.engine: auto");
    }
    return isJdk ? SslProvider.JDK : SslProvider.OPENSSL_REFCNT;
  }

  private static String missing() {
    Throwable cause = Objects.requireNonNull(OpenSsl.unavailabilityCause());
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
