package dev.waymark.net.listener;

import dev.waymark.config.TlsKeys.MissingCloseNotify;
import dev.waymark.net.tls.Distrust;
import dev.waymark.net.tls.Handshake;
import dev.waymark.net.tls.IgnoredInput;
import dev.waymark.net.tls.PeerAlert;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.TlsFacts;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SniCompletionEvent;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of one client, as the bridge sees it: follows the handler that speaks TLS ({@link
 * ClientHelloHandler}, which {@link SslHandler} replaces). A stage before {@link ClientHandler}: it
 * holds back {@code channelActive} until the handshake is complete. Afterwards it tells the two
 * ends of a client's stream apart: close_notify, which only the client can send, and a FIN without
 * it, which anybody on the path can (RFC 8446, section 6.1). Confined to its event loop, but for
 * {@link #end}.
 */
final class TlsStage extends ChannelInboundHandlerAdapter implements ServerTls.Client {
  /** Told what becomes of the client. */
  interface Outcome {
    /** The handshake begins; returns whether it may, as too many may be under way. */
    boolean onHandshake();

    /** The handshake is complete: {@code channelActive} follows. */
    void onReady(TlsFacts facts);

    /** The client is closed before the end of its handshake. Called once, instead of the others. */
    void onRefused(RefusalReason reason, String detail);

    /** The connection ends for this reason. After {@link #onReady}. */
    void onLost(CloseReason reason);

    /** The handshake has ended in one way or the other. Once after {@link #onHandshake}. */
    void onHandshakeOver();
  }

  private enum Phase {
    /** A stage before this one holds back {@code channelActive}. */
    WAITING,
    HANDSHAKE,
    OPEN,
    /** The client has sent close_notify. */
    ENDED,
    OVER
  }

  private static final X509Certificate[] NONE = {};

  private final ServerTls tls;
  private final MissingCloseNotify missingCloseNotify;
  private final LongSupplier clockNs;
  private final long timeoutNs;
  private final Outcome outcome;
  private Phase phase = Phase.WAITING;
  private @Nullable ChannelHandlerContext context;
  private @Nullable ScheduledFuture<?> timer;
  private @Nullable String serverName;
  private @Nullable Handshake handshake;
  private X509Certificate[] chain = NONE;
  private long deadlineNs;

  /**
   * @param clockNs the loop's clock, which stops with the loop: after a standstill, what came
   *     meanwhile is read before time is up
   * @param timeoutNs for the handshake, from {@code channelActive} on
   */
  TlsStage(
      ServerTls tls,
      MissingCloseNotify missingCloseNotify,
      LongSupplier clockNs,
      long timeoutNs,
      Outcome outcome) {
    this.tls = tls;
    this.missingCloseNotify = missingCloseNotify;
    this.clockNs = clockNs;
    this.timeoutNs = timeoutNs;
    this.outcome = outcome;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
  }

  private ChannelHandlerContext context() {
    return Objects.requireNonNull(context);
  }

  // --- handshake ---

  @Override
  public void channelActive(ChannelHandlerContext active) {
    phase = Phase.HANDSHAKE;
    deadlineNs = clockNs.getAsLong() + timeoutNs;
    if (outcome.onHandshake()) {
      schedule(timeoutNs);
    } else {
      phase = Phase.OVER;
      outcome.onRefused(RefusalReason.TLS_HANDSHAKES_MAX, "");
      active.close();
    }
  }

  private void schedule(long afterNs) {
    timer = context().executor().schedule(this::onTimer, afterNs, TimeUnit.NANOSECONDS);
  }

  private void onTimer() {
    long leftNs = deadlineNs - clockNs.getAsLong();
    if (leftNs > 0) {
      schedule(leftNs);
    } else if (phase == Phase.HANDSHAKE) {
      refuse(RefusalReason.TLS_HANDSHAKE_TIMEOUT, "");
    }
  }

  /** Whether it is too late for a handshake. */
  boolean isOver() {
    return phase != Phase.HANDSHAKE || clockNs.getAsLong() - deadlineNs >= 0;
  }

  /**
   * The handshake's turn has come.
   *
   * @param name that the client asks for; null if it names none
   */
  void onBegin(@Nullable String name, Handshake begun) {
    serverName = name;
    handshake = begun;
  }

  void refuse(RefusalReason reason, String detail) {
    if (phase != Phase.HANDSHAKE) {
      return;
    }
    phase = Phase.OVER;
    endHandshake();
    outcome.onRefused(reason, detail);
    context().close();
  }

  private void refuse(Throwable failure) {
    Optional<PeerAlert> alert =
        handshake == null ? PeerAlert.in(failure) : handshake.alert(failure);
    if (alert.isPresent()) {
      refuse(HandshakeFailures.reason(alert.get()), HandshakeFailures.detail(alert.get()));
    } else {
      refuse(HandshakeFailures.reason(failure), HandshakeFailures.detail(failure));
    }
  }

  private void endHandshake() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
    outcome.onHandshakeOver();
  }

  private void open() {
    phase = Phase.OPEN;
    endHandshake();
    Handshake complete = Objects.requireNonNull(handshake);
    handshake = null;
    SslHandler handler = complete.handler();
    context().pipeline().remove(complete.alertReader());
    chain = complete.clientChain();
    if (chain.length > 0) {
      tls.add(this, complete);
    }
    outcome.onReady(TlsFactsReader.read(handler, serverName, chain));
    context().fireChannelActive();
  }

  // --- open ---

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    switch (event) {
      case SslHandshakeCompletionEvent done -> {
        if (phase == Phase.HANDSHAKE && done.isSuccess()) {
          open();
        } else if (phase == Phase.HANDSHAKE) {
          refuse(Objects.requireNonNull(done.cause()));
        }
      }
      case SslCloseCompletionEvent closed -> {
        if (closed.isSuccess() && phase == Phase.OPEN) {
          onCloseNotify();
        }
      }
      case SniCompletionEvent _ -> {}
      case ChannelInputShutdownEvent _ -> onFin();
      default -> context.fireUserEventTriggered(event);
    }
  }

  private void onCloseNotify() {
    phase = Phase.ENDED;
    context().pipeline().addFirst(new IgnoredInput());
    boolean isTls13 =
        context()
            .pipeline()
            .get(SslHandler.class)
            .engine()
            .getSession()
            .getProtocol()
            .equals("TLSv1.3");
    if (!tls.canHalfClose() || !isTls13) {
      context().pipeline().addBefore(context().name(), "tls-ended", new EndedOutput());
    }
    context().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
  }

  private void onFin() {
    switch (phase) {
      case HANDSHAKE -> refuse(RefusalReason.TLS_HANDSHAKE_INCOMPLETE, "");
      case OPEN -> {
        if (missingCloseNotify == MissingCloseNotify.END) {
          phase = Phase.ENDED;
          context().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        } else {
          lose(CloseReason.CLIENT_TRUNCATED);
        }
      }
      case WAITING, ENDED, OVER -> {}
    }
  }

  /** Later: a failure may come out of a write, in the middle of what the connection is doing. */
  private void lose(CloseReason reason) {
    if (phase == Phase.OPEN || phase == Phase.ENDED) {
      phase = Phase.OVER;
      context().executor().execute(() -> outcome.onLost(reason));
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    boolean isTls = cause instanceof SSLException || cause.getCause() instanceof SSLException;
    if (phase == Phase.HANDSHAKE && cause instanceof IOException) {
      refuse(RefusalReason.TLS_HANDSHAKE_INCOMPLETE, "");
    } else if (isTls || cause instanceof DecoderException) {
      // At most one of the two has an effect; none if the client is refused already.
      refuse(cause);
      lose(CloseReason.TLS_ERROR);
    } else {
      context.fireExceptionCaught(cause);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    refuse(RefusalReason.TLS_HANDSHAKE_INCOMPLETE, "");
    phase = Phase.OVER;
    if (chain.length > 0) {
      tls.remove(this);
    }
    context.fireChannelInactive();
  }

  // --- identity ---

  @Override
  public X509Certificate[] chain() {
    return chain;
  }

  @Override
  public void end(Distrust why) {
    CloseReason reason =
        why == Distrust.EXPIRED
            ? CloseReason.TLS_IDENTITY_EXPIRED
            : CloseReason.TLS_IDENTITY_REVOKED;
    context().executor().execute(() -> lose(reason));
  }

  /**
   * Stands in for an output that the client's close_notify has closed too, as it does in TLS 1.2
   * (RFC 5246, section 7.2.1). A reply to such a client finds nobody.
   */
  private final class EndedOutput extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext ended, Object message, ChannelPromise promise) {
      ReferenceCountUtil.release(message);
      if (!promise.isVoid()) {
        promise.tryFailure(new IOException("the client has closed both directions"));
      }
      lose(CloseReason.CLIENT_RESET);
    }
  }
}
