package dev.waymark.net.dial;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.net.tls.Distrust;
import dev.waymark.net.tls.WrongNameException;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** Classifies failed TLS handshakes with upstreams and servers. Stateless. */
public final class TlsFailures {
  static final UpstreamProblem NO_HTTP2 =
      new UpstreamProblem(
          Kind.NOT_HTTP2, "speaks TLS, but does not offer HTTP/2 (ALPN h2), which gRPC needs");

  private static final int CAUSES_MAX = 10;

  private TlsFailures() {}

  /** What was wrong with a handshake that failed in this way. */
  public static UpstreamProblem problemOf(Throwable failure) {
    Throwable cause = innermost(failure);
    String text = textOf(cause);
    if (cause instanceof NotSslRecordException) {
      return new UpstreamProblem(
          Kind.NOT_TLS, "does not speak TLS on this port; use another port, or switch TLS off");
    }
    if (cause instanceof SslHandshakeTimeoutException) {
      return new UpstreamProblem(Kind.SILENT, "accepts the connection, but not the TLS handshake");
    }
    if (cause instanceof WrongNameException || isWrongHost(text)) {
      return new UpstreamProblem(Kind.TLS_WRONG_NAME, "proves to be somebody else: " + text);
    }
    Optional<Distrust> distrust = Distrust.in(failure);
    if (distrust.isPresent()) {
      return new UpstreamProblem(
          Kind.TLS_UNTRUSTED,
          distrust.get() == Distrust.EXPIRED
              ? "its certificate has expired"
              : "its certificate is not trusted: " + text);
    }
    if (text.contains("alert")) {
      return new UpstreamProblem(
          Kind.TLS_REFUSED,
          "refuses the TLS handshake: " + text + "; it may want another client certificate");
    }
    if (cause instanceof IOException && !(cause instanceof SSLException)) {
      return new UpstreamProblem(
          Kind.CLOSES_AT_ONCE, "closes the connection during the TLS handshake");
    }
    return new UpstreamProblem(Kind.TLS_FAILED, "the TLS handshake failed: " + text);
  }

  /** How the JDK says that the certificate is for another host. */
  private static boolean isWrongHost(String text) {
    return text.startsWith("No subject alternative") || text.startsWith("No name matching");
  }

  private static Throwable innermost(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause.getCause() != null && depth < CAUSES_MAX; depth++) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Of BoringSSL's texts, error:10000410:SSL routines:OPENSSL_internal:NAME, only the name. */
  private static String textOf(Throwable cause) {
    String text = String.valueOf(cause.getMessage());
    return text.startsWith("error:")
        ? text.substring(text.lastIndexOf(':') + 1).replace('_', ' ').toLowerCase(Locale.ROOT)
        : text;
  }
}
