package dev.waymark.net.listener;

import static dev.waymark.net.listener.RefusalReason.TLS_CERTIFICATE_EXPIRED;
import static dev.waymark.net.listener.RefusalReason.TLS_CERTIFICATE_INVALID;
import static dev.waymark.net.listener.RefusalReason.TLS_CERTIFICATE_MISSING;
import static dev.waymark.net.listener.RefusalReason.TLS_CERTIFICATE_REFUSED;
import static dev.waymark.net.listener.RefusalReason.TLS_CERTIFICATE_REVOKED;
import static dev.waymark.net.listener.RefusalReason.TLS_HANDSHAKE_FAILED;
import static dev.waymark.net.listener.RefusalReason.TLS_HANDSHAKE_INCOMPLETE;
import static dev.waymark.net.listener.RefusalReason.TLS_HELLO_TOO_LONG;
import static dev.waymark.net.listener.RefusalReason.TLS_PLAINTEXT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.waymark.net.tls.PeerAlert;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.ssl.NotSslRecordException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HandshakeFailuresTest {
  static Stream<Arguments> failures() {
    return Stream.of(
        arguments(new NotSslRecordException("GET / HTTP/1.1"), TLS_PLAINTEXT, ""),
        arguments(new TooLongFrameException("17000"), TLS_HELLO_TOO_LONG, ""),
        arguments(new ClosedChannelException(), TLS_HANDSHAKE_INCOMPLETE, ""),
        arguments(
            new SSLHandshakeException("Empty client certificate chain"),
            TLS_CERTIFICATE_MISSING,
            ""),
        arguments(
            new SSLHandshakeException(
                "error:100000c0:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE"),
            TLS_CERTIFICATE_MISSING,
            ""),
        arguments(
            new SSLHandshakeException(
                "error:100000f0:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL"),
            TLS_HANDSHAKE_FAILED,
            "unsupported protocol"),
        arguments(
            new SSLHandshakeException("no cipher suites in common"),
            TLS_HANDSHAKE_FAILED,
            "no cipher suites in common"),
        arguments(invalid(BasicReason.EXPIRED), TLS_CERTIFICATE_EXPIRED, ""),
        arguments(invalid(BasicReason.REVOKED), TLS_CERTIFICATE_REVOKED, ""),
        arguments(invalid(BasicReason.INVALID_SIGNATURE), TLS_CERTIFICATE_INVALID, "because"),
        arguments(
            caused(new SSLHandshakeException("x"), new CertificateExpiredException("x")),
            TLS_CERTIFICATE_EXPIRED,
            ""));
  }

  private static Throwable invalid(BasicReason reason) {
    CertPathValidatorException path =
        new CertPathValidatorException("because", null, null, -1, reason);
    return caused(new SSLHandshakeException("x"), new CertificateException("y", path));
  }

  private static Throwable caused(Throwable outer, Throwable cause) {
    outer.initCause(cause);
    return outer;
  }

  @ParameterizedTest
  @MethodSource("failures")
  void failure_hasAReason_andADetailWhereThatIsNotEnough(
      Throwable failure, RefusalReason reason, String detail) {
    assertThat(HandshakeFailures.reason(failure)).isEqualTo(reason);
    assertThat(HandshakeFailures.detail(failure)).isEqualTo(detail);
    assertThat(HandshakeFailures.reason(new DecoderException(failure))).isEqualTo(reason);
  }

  @Test
  void alert_aboutTheCertificate_hasAReasonOfItsOwn() {
    assertThat(HandshakeFailures.reason(new PeerAlert("unknown_ca")))
        .isEqualTo(TLS_CERTIFICATE_REFUSED);
    assertThat(HandshakeFailures.detail(new PeerAlert("unknown_ca")))
        .isEqualTo("the client sent the alert unknown_ca");
    assertThat(HandshakeFailures.reason(new PeerAlert("protocol_version")))
        .isEqualTo(TLS_HANDSHAKE_FAILED);
  }

  @Test
  void detail_isBounded() {
    assertThat(HandshakeFailures.detail(new SSLException("x".repeat(500)))).hasSize(120);
  }

  @Test
  void causes_thatAreCircular_areFollowedNoFurther() {
    Exception one = new Exception("one");
    one.initCause(new Exception("two", one));
    assertThat(HandshakeFailures.reason(one)).isEqualTo(TLS_HANDSHAKE_FAILED);
  }
}
