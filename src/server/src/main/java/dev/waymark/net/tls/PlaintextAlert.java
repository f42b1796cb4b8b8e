package dev.waymark.net.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Sees the alert that a client of TLS 1.3 sends in the clear. OpenSSL's do if they refuse the
 * certificate, since they encrypt only after they have accepted it; BoringSSL expects encrypted
 * records by then, and reports a bad length. Comes before the handler that speaks TLS, during the
 * handshake. Confined to its event loop.
 */
final class PlaintextAlert extends ChannelInboundHandlerAdapter {
  private static final int RECORD_BYTES = 7;

  /** Type alert, any version of TLS, two bytes: level fatal and the code (RFC 8446, 5.1 and 6). */
  private static final long RECORD = 0x15_03_00_0002_02_00L;

  private static final long RECORD_MASK = 0xff_ff_00_ffff_ff_00L;

  private @Nullable PeerAlert seen;

  /** The alert that came last; empty if none did. */
  Optional<PeerAlert> seen() {
    return Optional.ofNullable(seen);
  }

  /** Looks at the end of what came: nothing follows an alert. */
  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof ByteBuf bytes && bytes.readableBytes() >= RECORD_BYTES) {
      int at = bytes.writerIndex() - RECORD_BYTES;
      long record = ((long) bytes.getMedium(at) & 0xff_ffff) << 32 | bytes.getUnsignedInt(at + 3);
      if ((record & RECORD_MASK) == RECORD) {
        seen = PeerAlert.of((int) record & 0xff);
      }
    }
    context.fireChannelRead(message);
  }
}
