package dev.waymark.net.tls;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Which servers are trusted by those who send HTTPS requests. Stateless. */
public final class ServerTrust {
  private ServerTrust() {}

  /**
   * Creates a context for requests. Blocks.
   *
   * @param ca the CAs, as PEM; null: those of the JDK
   * @param isInsecure whether every server is trusted
   */
  public static SSLContext context(@Nullable Path ca, boolean isInsecure)
      throws IOException, GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    // Netty's also leaves out the check of the server's name.
    context.init(
        null,
        isInsecure ? InsecureTrustManagerFactory.INSTANCE.getTrustManagers() : trustManagers(ca),
        null);
    return context;
  }

  private static TrustManager[] trustManagers(@Nullable Path ca)
      throws IOException, GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(ca == null ? null : keyStore(ca));
    return factory.getTrustManagers();
  }

  private static KeyStore keyStore(Path ca) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = Files.newInputStream(ca)) {
      Collection<? extends Certificate> all =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (all.isEmpty()) {
        throw new CertificateException("no certificate in it");
      }
      int count = 0;
      for (Certificate each : all) {
        store.setCertificateEntry(Integer.toString(count++), each);
      }
    }
    return store;
  }
}
