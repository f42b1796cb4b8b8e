package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs one line for everything that is received on a connection. Confined to its lane. */
final class FrameLog implements ConnectionHandler {
  private static final Logger log = LoggerFactory.getLogger(FrameLog.class);

  /** How much of a payload is logged. */
  private static final int SHOWN_BYTES_MAX = 48;

  private final UpstreamConnection connection;
  private final ConnectionHandler inner;

  FrameLog(UpstreamConnection connection, ConnectionHandler inner) {
    this.connection = connection;
    this.inner = inner;
    log.info(
        "open mark={} epoch={} client={} listener={} limit={}",
        connection.mark(),
        connection.epoch(),
        connection.open().clientAddress(),
        connection.open().listener(),
        connection.open().limit());
  }

  @Override
  public void onData(ByteBuf data, long endOffset) {
    log.info(
        "data mark={} offset={} bytes={} {}",
        connection.mark(),
        endOffset - data.readableBytes(),
        data.readableBytes(),
        shown(data));
    inner.onData(data, endOffset);
  }

  @Override
  public void onHalfClose() {
    log.info("half-close mark={} offset={}", connection.mark(), connection.receivedOffset());
    inner.onHalfClose();
  }

  @Override
  public void onRelease() {
    log.info("release mark={}", connection.mark());
    inner.onRelease();
  }

  @Override
  public void onWritable() {
    log.info("writable mark={}", connection.mark());
    inner.onWritable();
  }

  @Override
  public void onClose(CloseReason reason) {
    log.info("close mark={} reason={}", connection.mark(), reason.label());
    inner.onClose(reason);
  }

  /** The first bytes, with unprintable ones in hexadecimal. */
  static String shown(ByteBuf data) {
    StringBuilder text = new StringBuilder("\"");
    int bytes = Math.min(SHOWN_BYTES_MAX, data.readableBytes());
    for (int i = 0; i < bytes; i++) {
      int value = data.getUnsignedByte(data.readerIndex() + i);
      boolean isPrintable = value >= ' ' && value < 0x7f && value != '"' && value != '\\';
      text.append(
          isPrintable
              ? String.valueOf((char) value)
              : String.format(Locale.ROOT, "\\x%02x", value));
    }
    return text.append(bytes < data.readableBytes() ? "\"…" : "\"").toString();
  }
}
