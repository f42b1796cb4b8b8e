package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.waymark.net.tls.AlternativeName;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.TlsFacts;
import io.netty.handler.ssl.SslHandler;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** Reads what an upstream learns about a client's TLS. Stateless. */
final class TlsFactsReader {
  private TlsFactsReader() {}

  /**
   * Reads the facts once the handshake is complete.
   *
   * @param chain that the client presented, its own certificate first
   */
  static TlsFacts read(SslHandler handler, @Nullable String serverName, X509Certificate[] chain) {
    SSLSession session = handler.engine().getSession();
    return new TlsFacts(
        session.getProtocol(),
        session.getCipherSuite(),
        Objects.requireNonNullElse(serverName, ""),
        Objects.requireNonNullElse(handler.applicationProtocol(), ""),
        chain.length == 0 ? null : client(chain[0]));
  }

  static TlsFacts.ClientCertificate client(X509Certificate certificate) {
    String subject = certificate.getSubjectX500Principal().getName();
    int leftBytes = SizeLimits.CERTIFICATE_NAME_BYTES_MAX;
    boolean isCut = subject.getBytes(UTF_8).length > leftBytes;
    if (isCut) {
      subject = "";
    }
    leftBytes -= subject.getBytes(UTF_8).length;
    List<String> names = new ArrayList<>();
    for (AlternativeName name : AlternativeName.of(certificate)) {
      String text = name.toString();
      leftBytes -= text.getBytes(UTF_8).length;
      if (leftBytes < 0) {
        isCut = true;
        break;
      }
      names.add(text);
    }
    return new TlsFacts.ClientCertificate(
        subject,
        names,
        isCut,
        certificate.getSerialNumber().toString(16),
        sha256(certificate),
        certificate.getNotBefore().toInstant(),
        certificate.getNotAfter().toInstant());
  }

  private static byte[] sha256(X509Certificate certificate) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
    } catch (NoSuchAlgorithmException | CertificateEncodingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
