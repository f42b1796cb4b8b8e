package dev.waymark.net.tls;

import io.netty.handler.ssl.SslHandler;

/** A handshake, and what a client is trusted by in it. Immutable. */
public final class Handshake {
  private final SslHandler handler;
  private final ServerContexts contexts;

  Handshake(SslHandler handler, ServerContexts contexts) {
    this.handler = handler;
    this.contexts = contexts;
  }

  /** Speaks TLS on one connection. */
  public SslHandler handler() {
    return handler;
  }

  ServerContexts contexts() {
    return contexts;
  }
}
