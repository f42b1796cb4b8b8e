package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.testing.Authority.Issued;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** A client of the JDK that speaks TLS. Confined to one thread, but for the settings. */
final class TlsClient implements AutoCloseable {
  private static final int TIMEOUT_MS = 20_000;

  /** How a client speaks. Immutable. */
  record Settings(
      Path authority,
      @Nullable Issued identity,
      @Nullable String serverName,
      List<String> protocols,
      String version,
      byte[] before) {
    static Settings of(Path authority) {
      return new Settings(authority, null, "a.example", List.of(), "TLSv1.3", new byte[0]);
    }

    Settings identity(Issued client) {
      return new Settings(authority, client, serverName, protocols, version, before);
    }

    Settings serverName(@Nullable String name) {
      return new Settings(authority, identity, name, protocols, version, before);
    }

    Settings protocols(String... names) {
      return new Settings(authority, identity, serverName, List.of(names), version, before);
    }

    Settings version(String only) {
      return new Settings(authority, identity, serverName, protocols, only, before);
    }

    /** Sends this in plain text first, as a proxy does. */
    Settings before(String text) {
      byte[] bytes = text.getBytes(US_ASCII);
      return new Settings(authority, identity, serverName, protocols, version, bytes);
    }

    /** Connects and completes the handshake. */
    TlsClient connect(int port) throws IOException {
      Socket plain = plain(port);
      try {
        plain.getOutputStream().write(before);
        return new TlsClient(plain, layer(plain));
      } catch (IOException refused) {
        plain.close();
        throw refused;
      } catch (GeneralSecurityException bug) {
        throw new IllegalStateException(bug);
      }
    }

    private SSLSocket layer(Socket plain) throws IOException, GeneralSecurityException {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys(), trust().getTrustManagers(), null);
      SSLSocket socket =
          (SSLSocket) context.getSocketFactory().createSocket(plain, "ignored", 1, true);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setServerNames(
          serverName == null ? List.of() : List.of(new SNIHostName(serverName)));
      parameters.setApplicationProtocols(protocols.toArray(new String[0]));
      parameters.setProtocols(new String[] {version});
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      return socket;
    }

    private TrustManagerFactory trust() throws IOException, GeneralSecurityException {
      KeyStore store = emptyStore();
      store.setCertificateEntry("ca", certificates(authority)[0]);
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return factory;
    }

    private KeyManager @Nullable [] keys() throws IOException, GeneralSecurityException {
      if (identity == null) {
        return null;
      }
      KeyStore store = emptyStore();
      store.setKeyEntry(
          "client", key(identity.key()), new char[0], certificates(identity.certificate()));
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(store, new char[0]);
      return factory.getKeyManagers();
    }

    private static KeyStore emptyStore() throws IOException, GeneralSecurityException {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      return store;
    }
  }

  private final Socket plain;
  private final SSLSocket socket;

  private TlsClient(Socket plain, SSLSocket socket) {
    this.plain = plain;
    this.socket = socket;
  }

  static Socket plain(int port) throws IOException {
    Socket socket = new Socket();
    socket.setSoTimeout(TIMEOUT_MS);
    socket.setTcpNoDelay(true);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
    return socket;
  }

  static X509Certificate[] certificates(Path file) throws IOException, GeneralSecurityException {
    try (InputStream stream = Files.newInputStream(file)) {
      return CertificateFactory.getInstance("X.509").generateCertificates(stream).stream()
          .toArray(X509Certificate[]::new);
    }
  }

  private static PrivateKey key(Path file) throws IOException, GeneralSecurityException {
    String base64 = Files.readString(file).replaceAll("-----.*-----", "").replaceAll("\\s", "");
    return KeyFactory.getInstance("EC")
        .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
  }

  /** Its own address, as the bridge sees it. */
  String address() {
    return "127.0.0.1:" + plain.getLocalPort();
  }

  SSLSocket socket() {
    return socket;
  }

  /** The socket below TLS. */
  Socket plain() {
    return plain;
  }

  /** The certificate that the server presented. */
  X509Certificate server() throws IOException {
    Certificate[] chain = socket.getSession().getPeerCertificates();
    return (X509Certificate) chain[0];
  }

  TlsClient send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(US_ASCII));
    return this;
  }

  TlsClient expect(String text) throws IOException {
    assertThat(new String(socket.getInputStream().readNBytes(text.length()), US_ASCII))
        .isEqualTo(text);
    return this;
  }

  TlsClient echo(String text) throws IOException {
    return send(text).expect(text);
  }

  /** Waits for the end in whatever form. */
  void awaitEnd() {
    try {
      socket.getInputStream().readAllBytes();
    } catch (IOException reset) {
      return;
    }
  }

  /** Ends without close_notify. */
  void fin() throws IOException {
    plain.shutdownOutput();
  }

  void reset() throws IOException {
    plain.setSoLinger(true, 0);
    plain.close();
  }

  @Override
  public void close() {
    try {
      // Without close_notify, for which SSLSocket may wait.
      plain.close();
    } catch (IOException gone) {
      return;
    }
  }
}
