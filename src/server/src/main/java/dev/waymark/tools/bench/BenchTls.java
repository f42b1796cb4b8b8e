package dev.waymark.tools.bench;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.LongAdder;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * The client's side of TLS, for all connections of a run. Accepts any certificate, because it
 * checks the bytes that come back and not who sends them. Thread-safe.
 */
final class BenchTls implements AutoCloseable {
  /**
   * Handshakes with different key exchanges cannot be compared, so all use the one that every
   * server has. Netty would prefer X25519MLKEM768, which costs more and which OpenSSL before 3.5
   * does not have.
   */
  private static final String[] GROUPS = {"x25519"};

  private static final int SESSIONS_MAX = 10_000;
  private static final int HANDSHAKE_TIMEOUT_MS = 10_000;

  private final SslContext context;
  private final boolean isResuming;
  private final LongAdder handshakes = new LongAdder();
  private final LongAdder verified = new LongAdder();
  private volatile String negotiated = "";

  /**
   * @param isResuming whether connections resume sessions of earlier ones to the same target
   */
  BenchTls(boolean isResuming) {
    this.isResuming = isResuming;
    try {
      context =
          SslContextBuilder.forClient()
              .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL_REFCNT : SslProvider.JDK)
              .trustManager(new TrustAll())
              .endpointIdentificationAlgorithm(null)
              .option(OpenSslContextOption.GROUPS, GROUPS)
              .sessionCacheSize(SESSIONS_MAX)
              .build();
    } catch (SSLException refused) {
      throw new IllegalStateException(refused);
    }
  }

  SslHandler newHandler(InetSocketAddress target, ByteBufAllocator allocator) {
    // Netty looks for a session only if it knows the target.
    SslHandler handler =
        isResuming
            ? context.newHandler(allocator, target.getAddress().getHostAddress(), target.getPort())
            : context.newHandler(allocator);
    handler.setHandshakeTimeoutMillis(HANDSHAKE_TIMEOUT_MS);
    return handler;
  }

  void onHandshake(SSLSession session) {
    handshakes.increment();
    if (negotiated.isEmpty()) {
      negotiated = session.getProtocol() + " " + session.getCipherSuite();
    }
  }

  Result.Tls figures() {
    return new Result.Tls(negotiated, handshakes.sum(), handshakes.sum() - verified.sum());
  }

  /** To be called when no connection is left. */
  @Override
  public void close() {
    ReferenceCountUtil.release(context);
  }

  /** Only a full handshake has a certificate to verify, so this also tells the two apart. */
  private final class TrustAll extends X509ExtendedTrustManager {
    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
      verified.increment();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
      verified.increment();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {
      verified.increment();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
