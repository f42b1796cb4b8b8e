package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import dev.waymark.v1.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The handlers that a test's connections got, in order. Ends their connections after the test, so
 * that what waits is released.
 */
final class ScriptHandlers implements AfterEachCallback {
  static final Framing RAW = Framing.getDefaultInstance();
  static final Framing LINE =
      Framing.newBuilder().setKind(Framing.Kind.LINE).setFrameBytesMax(10).build();
  static final UpstreamOptions MESSAGES = UpstreamOptions.DEFAULTS.withDelivery(Delivery.MESSAGES);

  /** Answers data with itself. */
  static final BiConsumer<UpstreamConnection, ByteBuf> ECHO =
      (connection, data) -> connection.commit(data.retainedSlice(), connection.receivedOffset());

  /** Leaves data unanswered. */
  static final BiConsumer<UpstreamConnection, ByteBuf> NOTHING = (_, _) -> {};

  private final List<ScriptHandler> handlers = new ArrayList<>();

  @Override
  public void afterEach(ExtensionContext test) {
    handlers.forEach(handler -> handler.connection.close(CloseReason.ABORT));
  }

  /** Makes handlers that answer data so. */
  ConnectionHandler.Factory answering(BiConsumer<UpstreamConnection, ByteBuf> onData) {
    return connection -> {
      handlers.add(new ScriptHandler(connection, onData));
      return handlers.getLast();
    };
  }

  /** A lane with such a handler on its connection 1, raw and with this limit. */
  FakeCall opened(BiConsumer<UpstreamConnection, ByteBuf> onData, long limit) {
    return FakeCall.opened(UpstreamOptions.DEFAULTS, answering(onData), RAW, limit);
  }

  /** The last one. */
  UpstreamConnection connection() {
    return handlers.getLast().connection;
  }

  /** Of the last one. */
  List<String> events() {
    return handlers.getLast().events;
  }

  /** Of the one that came as this one, from 0. */
  List<String> events(int number) {
    return handlers.get(number).events;
  }

  int count() {
    return handlers.size();
  }

  /** Read-only, so that nobody writes into what is another's. */
  static ByteBuf text(String text) {
    return ByteBufUtil.writeUtf8(UnpooledByteBufAllocator.DEFAULT, text).slice().asReadOnly();
  }
}
