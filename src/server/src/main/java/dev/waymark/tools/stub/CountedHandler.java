package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import dev.waymark.upstream.ConnectionHandler;
import io.netty.buffer.ByteBuf;

/** Counts requests and ends of a connection. Confined to its lane. */
record CountedHandler(ConnectionHandler inner, StubStats stats) implements ConnectionHandler {
  @Override
  public void onData(ByteBuf data, long endOffset) {
    stats.onRequest();
    inner.onData(data, endOffset);
  }

  @Override
  public void onHalfClose() {
    inner.onHalfClose();
  }

  @Override
  public void onRelease() {
    inner.onRelease();
  }

  @Override
  public void onWritable() {
    inner.onWritable();
  }

  @Override
  public void onClose(CloseReason reason) {
    stats.onClose(reason);
    inner.onClose(reason);
  }
}
