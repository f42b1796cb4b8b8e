package dev.waymark.net.tls;

import io.netty.handler.ssl.ResumableX509ExtendedTrustManager;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
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

  private static final int DNS_NAME = 2;
  private static final int URI = 6;
  private static final String SPIFFE = "spiffe://";

  private static final String WRONG_SIDE = "only upstreams are verified here";

  private final X509ExtendedTrustManager pkix;
  private final List<String> peerNames;

  private UpstreamTrust(X509ExtendedTrustManager pkix, List<String> peerNames) {
    this.pkix = pkix;
    this.peerNames = List.copyOf(peerNames);
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
        authorities.isPresent() ? Trust.pkix(authorities.get(), Optional.empty()) : ofJdk();
    return new UpstreamTrust(pkix, peerNames);
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
    List<String> names = names(chain[0]);
    if (names.stream().noneMatch(this::isExpected)) {
      throw new WrongNameException(names);
    }
  }

  private static List<String> names(X509Certificate certificate) throws CertificateException {
    Collection<List<?>> all = certificate.getSubjectAlternativeNames();
    List<String> names = new ArrayList<>();
    for (List<?> name : all == null ? List.<List<?>>of() : all) {
      if (name.getFirst() instanceof Integer type && (type == DNS_NAME || type == URI)) {
        names.add(String.valueOf(name.get(1)));
      }
    }
    return names;
  }

  private boolean isExpected(String name) {
    return peerNames.stream().anyMatch(expected -> matches(expected, name));
  }

  private static boolean matches(String expected, String name) {
    if (!expected.startsWith(SPIFFE)) {
      return expected.equalsIgnoreCase(name) || matchesWildcard(expected, name);
    }
    return expected.endsWith("/*")
        ? name.startsWith(expected.substring(0, expected.length() - 1))
        : name.equals(expected);
  }

  /** Whether a certificate's wildcard stands for this name, one level below it. */
  private static boolean matchesWildcard(String expected, String name) {
    int dot = expected.indexOf('.');
    return name.startsWith("*.")
        && dot > 0
        && expected
            .substring(dot)
            .toLowerCase(Locale.ROOT)
            .equals(name.substring(1).toLowerCase(Locale.ROOT));
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
