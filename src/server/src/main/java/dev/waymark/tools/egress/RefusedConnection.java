package dev.waymark.tools.egress;

import dev.waymark.upstream.ConnectionHandler;
import io.netty.buffer.ByteBuf;

/** The handler of a connection that was refused at once. Stateless. */
record RefusedConnection() implements ConnectionHandler {
  @Override
  public void onData(ByteBuf data, long endOffset) {}

  @Override
  public void onHalfClose() {}
}
