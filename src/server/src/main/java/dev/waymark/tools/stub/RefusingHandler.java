package dev.waymark.tools.stub;

import dev.waymark.upstream.ConnectionHandler;
import io.netty.buffer.ByteBuf;

/** Of a connection that was refused: does nothing with what is still under way. */
record RefusingHandler() implements ConnectionHandler {
  @Override
  public void onData(ByteBuf data, long endOffset) {}

  @Override
  public void onHalfClose() {}
}
