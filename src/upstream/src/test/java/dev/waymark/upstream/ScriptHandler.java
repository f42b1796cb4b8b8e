package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** A handler that records events and answers data as the test says. Confined to one thread. */
final class ScriptHandler implements ConnectionHandler {
  final List<String> events = new ArrayList<>();
  final UpstreamConnection connection;
  private final BiConsumer<UpstreamConnection, ByteBuf> onData;

  ScriptHandler(UpstreamConnection connection, BiConsumer<UpstreamConnection, ByteBuf> onData) {
    this.connection = connection;
    this.onData = onData;
  }

  @Override
  public void onData(ByteBuf data, long endOffset) {
    events.add("data " + data.toString(StandardCharsets.UTF_8) + " " + endOffset);
    onData.accept(connection, data);
  }

  @Override
  public void onHalfClose() {
    events.add("half-close");
    connection.halfClose();
  }

  @Override
  public void onRelease() {
    events.add("release");
  }

  @Override
  public void onWritable() {
    events.add("writable");
  }

  @Override
  public void onClose(CloseReason reason) {
    events.add("close " + reason);
  }
}
