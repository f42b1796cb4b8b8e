package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs one line for everything that is sent on a connection, then passes it on. Thread-safe, like
 * the connection that it wraps.
 */
record LoggedConnection(UpstreamConnection inner) implements UpstreamConnection {
  private static final Logger log = LoggerFactory.getLogger(LoggedConnection.class);

  @Override
  public String mark() {
    return inner.mark();
  }

  @Override
  public int epoch() {
    return inner.epoch();
  }

  @Override
  public Open open() {
    return inner.open();
  }

  @Override
  public Hello hello() {
    return inner.hello();
  }

  @Override
  public boolean isOpen() {
    return inner.isOpen();
  }

  @Override
  public long receivedOffset() {
    return inner.receivedOffset();
  }

  @Override
  public boolean isWaiting() {
    return inner.isWaiting();
  }

  @Override
  public int commitBytesMax() {
    return inner.commitBytesMax();
  }

  @Override
  public void send(ByteBuf owned) {
    log.info("send mark={} bytes={} {}", mark(), owned.readableBytes(), FrameLog.shown(owned));
    inner.send(owned);
  }

  @Override
  public void commit(ByteBuf owned, long consumedOffset) {
    logCommit(owned, consumedOffset);
    inner.commit(owned, consumedOffset);
  }

  @Override
  public void commit(ByteBuf owned, long consumedOffset, byte[] context) {
    logCommit(owned, consumedOffset);
    inner.commit(owned, consumedOffset, context);
  }

  private void logCommit(ByteBuf payload, long consumedOffset) {
    log.info(
        "commit mark={} consumed={} bytes={} {}",
        mark(),
        consumedOffset,
        payload.readableBytes(),
        FrameLog.shown(payload));
  }

  @Override
  public void consume(long consumedOffset) {
    log.info("consume mark={} consumed={}", mark(), consumedOffset);
    inner.consume(consumedOffset);
  }

  @Override
  public void context(byte[] context) {
    log.info("context mark={} bytes={}", mark(), context.length);
    inner.context(context);
  }

  @Override
  public void working() {
    log.info("working mark={}", mark());
    inner.working();
  }

  @Override
  public void release() {
    log.info("release-requested mark={}", mark());
    inner.release();
  }

  @Override
  public void halfClose() {
    log.info("half-close-sent mark={}", mark());
    inner.halfClose();
  }

  @Override
  public void close(CloseReason reason) {
    log.info("close-sent mark={} reason={}", mark(), reason.label());
    inner.close(reason);
  }

  @Override
  public ByteBuf unframed(ByteBuf message) {
    return inner.unframed(message);
  }

  @Override
  public ByteBuf framed(ByteBuf owned) {
    return inner.framed(owned);
  }
}
