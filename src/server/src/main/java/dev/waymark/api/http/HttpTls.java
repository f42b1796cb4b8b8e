package dev.waymark.api.http;

import dev.waymark.net.tls.Distrust;
import dev.waymark.net.tls.Handshake;
import dev.waymark.net.tls.IgnoredInput;
import dev.waymark.net.tls.OutputGuard;
import dev.waymark.net.tls.PeerAlert;
import dev.waymark.net.tls.PeerNames;
import dev.waymark.net.tls.ServerTls;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of one connection of an HTTP port, as the port sees it: follows the handler that speaks
 * TLS. A close_notify is the end of the client's input. Confined to the port's event loop, but for
 * {@link #end}.
 */
final class HttpTls extends ChannelInboundHandlerAdapter implements ServerTls.Client {
  /** What the client has sent may be part of the text. */
  private static final int REASON_CHARS_MAX = 200;

  private final ServerTls tls;
  private final HttpPort.Shared port;
  private final Channel channel;
  private @Nullable Handshake handshake;
  private X509Certificate[] chain = {};
  private boolean isPlaintext;

  HttpTls(ServerTls tls, HttpPort.Shared port, Channel channel) {
    this.tls = tls;
    this.port = port;
    this.channel = channel;
  }

  /** Creates the handler that comes before all others. */
  ChannelHandler newHandler() {
    return new PlaintextDetector(this::begin, () -> isPlaintext = true);
  }

  private ChannelHandler begin() {
    Handshake begun = tls.begin(null, channel.alloc(), port.handshakes());
    channel.pipeline().addFirst(new OutputGuard());
    // The time for a request includes it.
    begun.handler().setHandshakeTimeoutMillis(0);
    handshake = begun;
    return begun.handler();
  }

  /** Whether the client speaks plain HTTP, although the port does not. */
  boolean isPlaintext() {
    return isPlaintext;
  }

  /** The names in the client's certificate, which is trusted; empty: it has presented none. */
  Optional<List<String>> clientNames() {
    return chain.length == 0 ? Optional.empty() : Optional.of(PeerNames.of(chain[0]));
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    switch (event) {
      case SslHandshakeCompletionEvent done when done.isSuccess() -> onHandshake();
      case SslHandshakeCompletionEvent done -> onFailure(done.cause());
      case SslCloseCompletionEvent closed -> {
        if (closed.isSuccess()) {
          channel.pipeline().addFirst(new IgnoredInput());
          context.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        }
      }
      default -> context.fireUserEventTriggered(event);
    }
  }

  private void onHandshake() {
    Handshake complete = Objects.requireNonNull(handshake);
    handshake = null;
    chain = complete.clientChain();
    if (chain.length > 0) {
      tls.add(this, complete);
    }
  }

  /** Other causes are clients that gave up. */
  private void onFailure(Throwable cause) {
    if (cause instanceof NotSslRecordException) {
      port.onTlsRefused(channel, "TLS: damaged records");
    } else if (cause instanceof SSLException refused) {
      Optional<PeerAlert> alert = PeerAlert.in(refused).filter(PeerAlert::isAboutCertificate);
      String text =
          alert
              .map(why -> "the client does not accept the port's certificate: " + why.name())
              .orElse(String.valueOf(refused.getMessage()));
      port.onTlsRefused(
          channel, "TLS: " + text.substring(0, Math.min(text.length(), REASON_CHARS_MAX)));
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof DecoderException && cause.getCause() instanceof SSLException) {
      // Logged when the handshake ended, or the client's fault.
      channel.close();
    } else {
      context.fireExceptionCaught(cause);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (chain.length > 0) {
      tls.remove(this);
    }
    context.fireChannelInactive();
  }

  @Override
  public X509Certificate[] chain() {
    return chain;
  }

  /** The client's certificate is no longer trusted. */
  @Override
  public void end(Distrust why) {
    String reason =
        switch (why) {
          case EXPIRED -> "the client certificate has expired";
          case REVOKED -> "the client certificate is revoked";
          case INVALID -> "the client certificate is no longer trusted";
        };
    channel
        .eventLoop()
        .execute(() -> {
          port.onTlsRefused(channel, reason);
          channel.close();
        });
  }
}
