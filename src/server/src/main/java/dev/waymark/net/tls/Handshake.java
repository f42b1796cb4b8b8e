package dev.waymark.net.tls;

import io.netty.channel.ChannelHandler;
import io.netty.handler.ssl.OpenSslSession;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/** A handshake, and what a client is trusted by in it. Confined to its event loop. */
public final class Handshake {
  private final SslHandler handler;
  private final ServerContexts contexts;
  private final PlaintextAlert plaintextAlert = new PlaintextAlert();

  Handshake(SslHandler handler, ServerContexts contexts) {
    this.handler = handler;
    this.contexts = contexts;
  }

  /** Speaks TLS on one connection. */
  public SslHandler handler() {
    return handler;
  }

  /** To be put before the handler, until the handshake is complete, for {@link #alert}. */
  public ChannelHandler alertReader() {
    return plaintextAlert;
  }

  /** The client's alert that made the handshake fail; empty if something else did. */
  public Optional<PeerAlert> alert(Throwable failure) {
    return plaintextAlert.seen().or(() -> PeerAlert.in(failure));
  }

  /**
   * The chain that the client presented, its own certificate first; empty if there is none. Once
   * the handshake is complete.
   */
  public X509Certificate[] clientChain() {
    SSLSession session = handler.engine().getSession();
    // Asking costs an exception where there is none, which is most handshakes.
    if (session instanceof OpenSslSession known && !known.hasPeerCertificates()) {
      return new X509Certificate[0];
    }
    try {
      Certificate[] chain = session.getPeerCertificates();
      return Arrays.copyOf(chain, chain.length, X509Certificate[].class);
    } catch (SSLPeerUnverifiedException none) {
      return new X509Certificate[0];
    }
  }

  ServerContexts contexts() {
    return contexts;
  }
}
