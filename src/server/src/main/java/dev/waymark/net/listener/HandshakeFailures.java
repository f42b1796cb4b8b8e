package dev.waymark.net.listener;

import dev.waymark.net.tls.Distrust;
import dev.waymark.net.tls.PeerAlert;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.ssl.NotSslRecordException;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * Tells from the exception why a handshake failed. The engines tell by exceptions where there is a
 * type, else by text: BoringSSL with its error codes, the JDK in sentences. Stateless.
 */
final class HandshakeFailures {
  private static final int DETAIL_CHARS_MAX = 120;

  private HandshakeFailures() {}

  static RefusalReason reason(Throwable failure) {
    Throwable cause = innermost(failure);
    String text = String.valueOf(cause.getMessage());
    if (cause instanceof NotSslRecordException) {
      return RefusalReason.TLS_PLAINTEXT;
    }
    if (cause instanceof TooLongFrameException) {
      return RefusalReason.TLS_HELLO_TOO_LONG;
    }
    if (text.contains("PEER_DID_NOT_RETURN_A_CERTIFICATE")
        || text.contains("Empty client certificate chain")) {
      return RefusalReason.TLS_CERTIFICATE_MISSING;
    }
    Optional<Distrust> distrust = Distrust.in(failure);
    if (distrust.isPresent()) {
      return switch (distrust.get()) {
        case EXPIRED -> RefusalReason.TLS_CERTIFICATE_EXPIRED;
        case REVOKED -> RefusalReason.TLS_CERTIFICATE_REVOKED;
        case INVALID -> RefusalReason.TLS_CERTIFICATE_INVALID;
      };
    }
    boolean isClosed = cause instanceof IOException && !(cause instanceof SSLException);
    return isClosed ? RefusalReason.TLS_HANDSHAKE_INCOMPLETE : RefusalReason.TLS_HANDSHAKE_FAILED;
  }

  static RefusalReason reason(PeerAlert alert) {
    return alert.isAboutCertificate()
        ? RefusalReason.TLS_CERTIFICATE_REFUSED
        : RefusalReason.TLS_HANDSHAKE_FAILED;
  }

  static String detail(PeerAlert alert) {
    return "the client sent the alert " + alert.name();
  }

  /** What the engine says, for people; empty where the reason says it all. */
  static String detail(Throwable failure) {
    RefusalReason reason = reason(failure);
    if (reason != RefusalReason.TLS_HANDSHAKE_FAILED
        && reason != RefusalReason.TLS_CERTIFICATE_INVALID) {
      return "";
    }
    String text = String.valueOf(innermost(failure).getMessage());
    String detail =
        text.startsWith("error:")
            // error:100000f0:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL
            ? text.substring(text.lastIndexOf(':') + 1).replace('_', ' ').toLowerCase(Locale.ROOT)
            : text;
    return detail.length() <= DETAIL_CHARS_MAX ? detail : detail.substring(0, DETAIL_CHARS_MAX);
  }

  private static Throwable innermost(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause.getCause() != null && depth < 10; depth++) {
      cause = cause.getCause();
    }
    return cause;
  }
}
