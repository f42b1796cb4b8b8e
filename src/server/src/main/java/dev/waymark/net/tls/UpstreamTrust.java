package dev.waymark.net.tls;

import io.netty.handler.ssl.ResumableX509ExtendedTrustManager;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Decides which upstreams are trusted: a path to one of the CAs, and one of the expected names, or,
 * if there are none, the name of the server that was dialled (RFC 9525). Immutable.
 */
final class UpstreamTrust extends X509ExtendedTrustManager
    implements ResumableX509ExtendedTrustManager {
  /** The key exchange, which the validation of a resumed session does not depend on. */
  private static final String ANY_KEY = "UNKNOWN";

  private static final String WRONG_SIDE = "only upstreams are verified here";

  private final X509ExtendedTrustManager pkix;
  private final PeerNames peerNames;

  private UpstreamTrust(X509ExtendedTrustManager pkix, PeerNames peerNames) {
    this.pkix = pkix;
    this.peerNames = peerNames;
  }

  /**
   * Reads the CAs.
   *
   * @param authorities empty: those of the JDK
   * @param peerNames the expected names; empty: that of the server
   */
  static UpstreamTrust load(Optional<Path> authorities, List<String> peerNames)
      throws TlsFileException {
    X509ExtendedTrustManager pkix =
        authorities.isPresent()
            ? Trust.pkix(Certificates.read(authorities.get()), List.of())
            : ofJdk();
    return new UpstreamTrust(pkix, new PeerNames(peerNames));
  }

  private static X509ExtendedTrustManager ofJdk() {
    try {
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init((@Nullable KeyStore) null);
      return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    if (peerNames.isEmpty()) {
      Trust.checkLength(chain);
      pkix.checkServerTrusted(chain, authType, engine);
    } else {
      checkServerTrusted(chain, authType);
    }
  }

  @Override
  public void resumeServerTrusted(X509Certificate[] chain, SSLEngine engine)
      throws CertificateException {
    if (peerNames.isEmpty()) {
      // The engine no longer has what the check of the server's name needs; but sessions are kept
      // by name and port, so the name was proved when this one began.
      Trust.checkLength(chain);
      pkix.checkServerTrusted(chain, ANY_KEY);
    } else {
      checkServerTrusted(chain, ANY_KEY);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    Trust.checkLength(chain);
    pkix.checkServerTrusted(chain, authType);
    List<String> names = PeerNames.of(chain[0]);
    if (peerNames.find(names).isEmpty()) {
      throw new WrongNameException(names);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checkServerTrusted(chain, authType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return pkix.getAcceptedIssuers();
  }

  // --- clients: never trusted ---

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }

  @Override
  public void resumeClientTrusted(X509Certificate[] chain, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }
}
