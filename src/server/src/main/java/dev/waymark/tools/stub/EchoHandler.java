package dev.waymark.tools.stub;

import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;

/**
 * Echoes bytes, acknowledging them in the same commit, and answers FIN with FIN. Confined to its
 * lane.
 */
final class EchoHandler implements ConnectionHandler {
  private final UpstreamConnection connection;

  EchoHandler(UpstreamConnection connection) {
    this.connection = connection;
  }

  @Override
  public void onData(ByteBuf data, long endOffset) {
    int bytesMax = connection.commitBytesMax();
    long offset = endOffset - data.readableBytes();
    // The reply window may be smaller than a frame.
    while (data.readableBytes() > bytesMax) {
      offset += bytesMax;
      connection.commit(data.readRetainedSlice(bytesMax), offset);
    }
    connection.commit(data.retainedSlice(), endOffset);
  }

  @Override
  public void onHalfClose() {
    connection.halfClose();
  }
}
