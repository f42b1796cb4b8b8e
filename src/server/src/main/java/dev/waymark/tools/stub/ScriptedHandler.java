package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers messages by rules, with a fixed text, or by echoing them: now or later, but in order.
 * Confined to its lane.
 */
final class ScriptedHandler implements ConnectionHandler {
  private final UpstreamConnection connection;
  private final StubOptions options;
  private final Delays.ReplyQueue queue;
  private final String name;
  private final Consumer<String> crash;
  private boolean isHanging;

  /**
   * @param name the stub's name, for replies that contain it
   * @param crash ends the process; is given the reason
   */
  ScriptedHandler(
      UpstreamConnection connection,
      StubOptions options,
      Delays.ReplyQueue queue,
      String name,
      Consumer<String> crash) {
    this.connection = connection;
    this.options = options;
    this.queue = queue;
    this.name = name;
    this.crash = crash;
  }

  @Override
  public void onData(ByteBuf data, long endOffset) {
    Rules.Rule rule = rule(data);
    isHanging |= rule != null && rule.fault() == Rules.Fault.HANG;
    if (isHanging) {
      return; // Nor are later messages answered: their replies would overtake the missing one.
    }
    boolean isCrash = rule != null && rule.fault() == Rules.Fault.CRASH;
    byte @Nullable [] reply = reply(data, rule);
    Duration delay = rule == null ? options.delay() : options.delay().plus(rule.delay());
    CloseReason close = rule == null ? null : rule.close();
    boolean isQueued =
        queue.schedule(
            delay,
            reply == null ? 0 : reply.length,
            () -> {
              if (isCrash) {
                crash.accept("a rule asks for it, connection " + connection.mark());
              }
              answer(reply, endOffset);
              if (close != null) {
                connection.close(close);
              }
            });
    if (!isQueued) {
      connection.close(CloseReason.BUSY);
    }
  }

  @Override
  public void onHalfClose() {
    if (!isHanging && !queue.schedule(Duration.ZERO, 0, connection::halfClose)) {
      connection.close(CloseReason.BUSY);
    }
  }

  private Rules.@Nullable Rule rule(ByteBuf data) {
    if (options.rules().isEmpty()) {
      return null;
    }
    return options.rules().find(connection.unframed(data).toString(StandardCharsets.UTF_8));
  }

  /** The bytes to send, including framing, or null for none. */
  private byte @Nullable [] reply(ByteBuf message, Rules.@Nullable Rule rule) {
    String text = rule == null ? options.reply() : rule.reply();
    if (rule == null && text == null) {
      return bytes(message.retainedSlice());
    }
    if (text == null) {
      return null;
    }
    byte[] filledIn = fillIn(text).getBytes(StandardCharsets.UTF_8);
    return bytes(connection.framed(Unpooled.wrappedBuffer(filledIn)));
  }

  private String fillIn(String text) {
    return text.contains("${")
        ? text.replace("${name}", name)
            .replace("${epoch}", Integer.toString(connection.epoch()))
            .replace("${mark}", connection.mark())
        : text;
  }

  private void answer(byte @Nullable [] reply, long endOffset) {
    if (reply == null) {
      connection.consume(endOffset);
      return;
    }
    ByteBuf rest = Unpooled.wrappedBuffer(reply);
    // Only the last part of a reply larger than the reply window acknowledges, since the parts
    // before it are reproducible.
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
