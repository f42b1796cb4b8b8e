package dev.waymark.tools.stub;

import dev.waymark.upstream.ConnectionHandler;
import io.netty.buffer.ByteBuf;

/** The handler of a refused connection: ignores what is still in flight. */
record RefusingHandler() implements ConnectionHandler {
  @Override
  public void onData(ByteBuf data, long endOffset) {}

  @Override
  public void onHalfClose() {}
}
