package dev.waymark.upstream.stub;

import dev.waymark.core.CloseReason;
import dev.waymark.upstream.Connection;
import dev.waymark.upstream.ConnectionHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Answers messages by rules, with a fixed text, or with themselves, now or later, in order.
 * Confined to its lane.
 */
final class ScriptedHandler implements ConnectionHandler {
  private final Connection connection;
  private final StubOptions options;
  private final Delays.Line line;

  ScriptedHandler(Connection connection, StubOptions options, Delays.Line line) {
    this.connection = connection;
    this.options = options;
    this.line = line;
  }

  @Override
  public void onData(ByteBuf data, long endOffset) {
    ByteBuf payload = options.isByMessage() ? connection.unframed(data) : data;
    Rules.Rule rule =
        options.rules().isEmpty()
            ? null
            : options.rules().find(payload.toString(StandardCharsets.UTF_8));
    byte @Nullable [] reply = reply(data, rule);
    Duration delay = rule == null ? options.delay() : options.delay().plus(rule.delay());
    CloseReason close = rule == null ? null : rule.close();
    boolean isTaken =
        line.after(
            delay,
            reply == null ? 0 : reply.length,
            () -> {
              answer(reply, endOffset);
              if (close != null) {
                connection.close(close);
              }
            });
    if (!isTaken) {
      connection.close(CloseReason.BUSY);
    }
  }

  @Override
  public void onHalfClose() {
    if (!line.after(Duration.ZERO, 0, connection::halfClose)) {
      connection.close(CloseReason.BUSY);
    }
  }

  /** The bytes to send, framing included; null: none. */
  private byte @Nullable [] reply(ByteBuf message, Rules.@Nullable Rule rule) {
    String text = rule == null ? options.reply() : rule.reply();
    if (rule == null && text == null) {
      return bytes(message.retainedSlice());
    }
    return text == null
        ? null
        : bytes(connection.framed(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8))));
  }

  private void answer(byte @Nullable [] reply, long endOffset) {
    if (reply == null) {
      connection.consume(endOffset);
      return;
    }
    ByteBuf rest = Unpooled.wrappedBuffer(reply);
    // Only the last part of an answer beyond the grant acknowledges: the earlier ones can be made
    // again.
    if (rest.readableBytes() > connection.commitBytesMax()) {
      connection.send(rest.readRetainedSlice(rest.readableBytes() - connection.commitBytesMax()));
    }
    connection.commit(rest, endOffset);
  }

  private static byte[] bytes(ByteBuf owned) {
    try {
      byte[] bytes = new byte[owned.readableBytes()];
      owned.getBytes(owned.readerIndex(), bytes);
      return bytes;
    } finally {
      owned.release();
    }
  }
}
