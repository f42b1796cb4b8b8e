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
 * The handlers of a test's connections, in order of creation. Closes their connections after the
 * test, so that waiting bytes are released.
 */
final class ScriptHandlers implements AfterEachCallback {
  static final Framing RAW = Framing.getDefaultInstance();
  static final Framing LINE =
      Framing.newBuilder().setKind(Framing.Kind.LINE).setFrameBytesMax(10).build();
  static final UpstreamOptions MESSAGES = UpstreamOptions.DEFAULTS.withDelivery(Delivery.MESSAGES);

  /** Echoes data. */
  static final BiConsumer<UpstreamConnection, ByteBuf> ECHO =
      (connection, data) -> connection.commit(data.retainedSlice(), connection.receivedOffset());

  /** Leaves data unanswered. */
  static final BiConsumer<UpstreamConnection, ByteBuf> NOTHING = (_, _) -> {};

  private final List<ScriptHandler> handlers = new ArrayList<>();

  @Override
  public void afterEach(ExtensionContext test) {
    handlers.forEach(handler -> handler.connection.close(CloseReason.ABORT));
  }

  /** Creates handlers that answer data in this way. */
  ConnectionHandler.Factory answering(BiConsumer<UpstreamConnection, ByteBuf> onData) {
    return connection -> {
      handlers.add(new ScriptHandler(connection, onData));
      return handlers.getLast();
    };
  }

  /** Creates a lane with such a handler on connection 1, with raw framing and this limit. */
  FakeCall opened(BiConsumer<UpstreamConnection, ByteBuf> onData, long limit) {
    return FakeCall.opened(UpstreamOptions.DEFAULTS, answering(onData), RAW, limit);
  }

  /** The connection of the last handler. */
  UpstreamConnection connection() {
    return handlers.getLast().connection;
  }

  /** The events of the last handler. */
  List<String> events() {
    return handlers.getLast().events;
  }

  /** The events of the handler with this index, from 0. */
  List<String> events(int number) {
    return handlers.get(number).events;
  }

  int count() {
    return handlers.size();
  }

  /** Read-only, so that a write into someone else's buffer fails. */
  static ByteBuf text(String text) {
    return ByteBufUtil.writeUtf8(UnpooledByteBufAllocator.DEFAULT, text).slice().asReadOnly();
  }
}
