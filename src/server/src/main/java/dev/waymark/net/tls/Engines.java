package dev.waymark.net.tls;

import dev.waymark.config.ConfigException;
import dev.waymark.config.TlsKeys.Engine;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.internal.OutOfDirectMemoryError;
import java.nio.file.Path;
import java.util.Objects;
import javax.net.ssl.SSLException;

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

  /**
   * Without it, Netty gives BoringSSL a context's key when it makes the context, not in each
   * handshake through a callback into Java; a listener has one key for each context.
   */
  private static final String KEY_MANAGERS = "io.netty.handler.ssl.openssl.useKeyManagerFactory";

  private Engines() {}

  /**
   * Returns the wanted engine; AUTO takes BoringSSL if its library loads.
   *
   * @throws ConfigException if BoringSSL is wanted and does not load
   */
  static SslProvider choose(Engine wanted) {
    System.getProperties().putIfAbsent(REJECT_RENEGOTIATION, "true");
    // Netty reads it once, when it loads BoringSSL.
    System.getProperties().putIfAbsent(KEY_MANAGERS, "false");
    boolean isJdk = wanted == Engine.JDK || (wanted == Engine.AUTO && !OpenSsl.isAvailable());
    if (!isJdk && !OpenSsl.isAvailable()) {
      throw new ConfigException(
          "tls.engine: boringssl does not load here (" + missing() + "); use tls.engine: auto");
    }
    return isJdk ? SslProvider.JDK : SslProvider.OPENSSL_REFCNT;
  }

  /**
   * Builds a context.
   *
   * @param certificate to be named if the engine does not accept it
   * @throws TlsFileException also if there is no memory for it at the moment: what was in force
   *     stays so, and the files are tried again
   */
  static SslContext build(SslContextBuilder builder, Path certificate) throws TlsFileException {
    try {
      return builder.build();
    } catch (SSLException | IllegalArgumentException refused) {
      Throwable cause = refused.getCause() == null ? refused : refused.getCause();
      throw new TlsFileException(
          certificate, "the TLS engine does not accept it: " + cause.getMessage());
    } catch (OutOfDirectMemoryError full) {
      throw new TlsFileException(certificate, "there is no direct memory for it now");
    }
  }

  private static String missing() {
    Throwable cause = Objects.requireNonNull(OpenSsl.unavailabilityCause());
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
