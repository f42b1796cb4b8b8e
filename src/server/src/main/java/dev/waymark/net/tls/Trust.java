package dev.waymark.net.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.handler.ssl.ResumableX509ExtendedTrustManager;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CRLException;
import java.security.cert.CertStore;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Decides which clients' certificates are trusted: a path to one of the CAs (RFC 5280, section 6)
 * of which no certificate is revoked. Resumed sessions are checked again, since a certificate may
 * have been revoked since. Immutable.
 */
final class Trust extends X509ExtendedTrustManager implements ResumableX509ExtendedTrustManager {
  /** The key exchange, which the validation of a client does not depend on. */
  private static final String ANY_KEY = "UNKNOWN";

  /** A certificate, four CAs above it, and the root, which need not be there. */
  private static final int CHAIN_MAX = 6;

  /** What the JDK's engine takes; BoringSSL takes more, and then cannot make a ticket of it. */
  private static final int CHAIN_BYTES_MAX = 32 * 1024;

  private static final String WRONG_SIDE = "only clients are verified here";

  private final X509ExtendedTrustManager pkix;

  /** Of the CAs and their lists. */
  private final byte[] contentSha256;

  private Trust(X509ExtendedTrustManager pkix, byte[] contentSha256) {
    this.pkix = pkix;
    this.contentSha256 = contentSha256;
  }

  /**
   * Reads the CAs, and their revocation lists if there is a file with some.
   *
   * @throws TlsFileException if a file cannot be read
   */
  static Trust load(Path authorities, Optional<Path> revocationLists) throws TlsFileException {
    List<X509Certificate> trusted = Certificates.read(authorities);
    List<X509CRL> lists =
        revocationLists.isPresent()
            ? Certificates.readRevocationLists(revocationLists.get())
            : List.of();
    MessageDigest digest = sha256();
    try {
      for (X509Certificate authority : trusted) {
        digest.update(authority.getEncoded());
      }
      for (X509CRL list : lists) {
        digest.update(list.getEncoded());
      }
    } catch (CertificateEncodingException | CRLException impossible) {
      throw new IllegalStateException(impossible);
    }
    return new Trust(pkix(trusted, lists), digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Whether it has the same CAs and lists. */
  boolean isLike(Trust other) {
    return Arrays.equals(contentSha256, other.contentSha256);
  }

  /**
   * Creates a validator of certificate paths to one of these CAs.
   *
   * @param lists if there are any, every certificate must be in none of them
   */
  static X509ExtendedTrustManager pkix(List<X509Certificate> authorities, List<X509CRL> lists) {
    Set<TrustAnchor> anchors =
        authorities.stream()
            .map(authority -> new TrustAnchor(authority, null))
            .collect(Collectors.toSet());
    try {
      PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
      parameters.setRevocationEnabled(!lists.isEmpty());
      if (!lists.isEmpty()) {
        parameters.addCertStore(
            CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(new CertPathTrustManagerParameters(parameters));
      return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Tells sets of CAs apart. */
  byte[] fingerprint() {
    try {
      MessageDigest digest = sha256();
      SortedSet<String> authorities = new TreeSet<>();
      for (X509Certificate authority : pkix.getAcceptedIssuers()) {
        authorities.add(HexFormat.of().formatHex(digest.digest(authority.getEncoded())));
      }
      return digest.digest(String.join(",", authorities).getBytes(US_ASCII));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Why a client's certificate is not trusted now; empty if it is. */
  Optional<Distrust> distrust(X509Certificate[] chain) {
    try {
      check(chain, ANY_KEY);
      return Optional.empty();
    } catch (CertificateException distrusted) {
      return Distrust.in(distrusted);
    }
  }

  /**
   * Refuses chains that are longer than any real one. Java tries their certificates in every order,
   * and those that name themselves as their issuer do not count towards its own limit: ten of them
   * would keep it busy for many seconds.
   */
  static void checkLength(X509Certificate[] chain) throws CertificateException {
    if (chain.length > CHAIN_MAX) {
      throw new CertificateException("more than " + CHAIN_MAX + " certificates");
    }
    int bytes = 0;
    for (X509Certificate certificate : chain) {
      bytes += certificate.getEncoded().length;
    }
    if (bytes > CHAIN_BYTES_MAX) {
      throw new CertificateException(
          "certificates of " + bytes + " bytes, more than " + CHAIN_BYTES_MAX);
    }
  }

  private void check(X509Certificate[] chain, String authType) throws CertificateException {
    checkLength(chain);
    pkix.checkClientTrusted(chain, authType);
    // A certificate that is itself among the CAs is trusted without a look at its dates.
    chain[0].checkValidity();
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    check(chain, authType);
  }

  @Override
  public void resumeClientTrusted(X509Certificate[] chain, SSLEngine engine)
      throws CertificateException {
    check(chain, ANY_KEY);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(chain, authType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return pkix.getAcceptedIssuers();
  }

  // --- servers: never trusted ---

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }

  @Override
  public void resumeServerTrusted(X509Certificate[] chain, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    throw new CertificateException(WRONG_SIDE);
  }
}
