package dev.waymark.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.waymark.v1.Framing;
import dev.waymark.v1.UpstreamFrame;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Handlers without Netty: the same bytes as arrays, JDK buffers and protobuf byte strings. */
class PayloadTypesTest {
  private static final byte[] CONTEXT = {1, 2};

  /** Answers a message in upper case, in a reply of two parts and with a context. */
  private record ArrayHandler(UpstreamConnection connection) implements ConnectionHandler.OfBytes {
    @Override
    public void onData(byte[] data, long endOffset) {
      byte[] prefix = {'>'};
      connection.send(prefix);
      prefix[0] = '!';
      byte[] reply = upper(new String(connection.unframed(data), UTF_8)).getBytes(UTF_8);
      byte[] framed = connection.framed(reply);
      connection.commit(framed, endOffset, CONTEXT);
      Arrays.fill(framed, (byte) 0);
      Arrays.fill(data, (byte) 0);
      connection.commit(new byte[] {'.'}, endOffset);
    }

    @Override
    public void onHalfClose() {}
  }

  private record ByteBufferHandler(UpstreamConnection connection)
      implements ConnectionHandler.OfByteBuffer {
    @Override
    public void onData(ByteBuffer data, long endOffset) {
      assertThatThrownBy(() -> data.put(0, (byte) 0)).isInstanceOf(ReadOnlyBufferException.class);
      ByteBuffer prefix = ByteBuffer.wrap(new byte[] {0, '>', 0}, 1, 1);
      connection.send(prefix);
      assertThat(prefix.remaining()).isEqualTo(1);
      String text = UTF_8.decode(connection.unframed(data)).toString();
      ByteBuffer framed = connection.framed(UTF_8.encode(upper(text)));
      connection.commit(framed, endOffset, CONTEXT);
      framed.put(0, (byte) 0);
      connection.commit(ByteBuffer.allocateDirect(1).put(0, (byte) '.'), endOffset);
    }

    @Override
    public void onHalfClose() {}
  }

  private record ByteStringHandler(UpstreamConnection connection)
      implements ConnectionHandler.OfByteString {
    @Override
    public void onData(ByteString data, long endOffset) {
      connection.send(ByteString.copyFromUtf8(">"));
      String text = connection.unframed(data).toStringUtf8();
      ByteString reply = connection.framed(ByteString.copyFromUtf8(upper(text)));
      connection.commit(reply, endOffset, CONTEXT);
      connection.commit(ByteString.copyFromUtf8("."), endOffset);
    }

    @Override
    public void onHalfClose() {}
  }

  private static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  static Stream<ConnectionHandler.Factory> handlers() {
    return Stream.of(ArrayHandler::new, ByteBufferHandler::new, ByteStringHandler::new);
  }

  @ParameterizedTest
  @MethodSource("handlers")
  void handler_ofAnyType_receivesAndSendsTheSameBytes(ConnectionHandler.Factory factory) {
    FakeCall call = FakeCall.opened(ScriptHandlers.MESSAGES, factory, ScriptHandlers.LINE, 1 << 20);
    call.receive(FakeCall.dataFrame(0, 0, "hel", false));
    call.receive(FakeCall.dataFrame(0, 3, "lo\n", true), FakeCall.dataFrame(0, 6, "\n", true));
    List<UpstreamFrame> frames = call.frames();
    assertThat(call.replies()).isEqualTo(">HELLO\n.>\n.");
    assertThat(frames.stream().filter(UpstreamFrame::hasConsumed).map(UpstreamFrame::getConsumed))
        .containsExactly(6L, 6L, 7L, 7L);
    assertThat(frames.get(1).getContext().toByteArray()).isEqualTo(CONTEXT);
  }

  @ParameterizedTest
  @MethodSource("handlers")
  void replies_waiting_doNotChangeWithTheirSource(ConnectionHandler.Factory factory) {
    FakeCall call = FakeCall.opened(ScriptHandlers.MESSAGES, factory, ScriptHandlers.LINE, 5);
    call.receive(FakeCall.dataFrame(0, 0, "one\n", true));
    call.receive(FakeCall.limitFrame(100));
    assertThat(call.replies()).isEqualTo(">ONE\n.");
  }

  @Test
  void framed_emptyPayload_isAMessageForEveryType() {
    var handlers = new ScriptHandlers();
    FakeCall.opened(
        ScriptHandlers.MESSAGES,
        handlers.answering(ScriptHandlers.NOTHING),
        Framing.newBuilder()
            .setKind(Framing.Kind.LENGTH_PREFIXED)
            .setLengthBytes(2)
            .setFrameBytesMax(100)
            .build(),
        0);
    UpstreamConnection connection = handlers.connection();
    assertThat(connection.framed(new byte[0])).containsExactly(0, 0);
    assertThat(connection.framed(ByteBuffer.allocate(0)).remaining()).isEqualTo(2);
    assertThat(connection.framed(ByteString.EMPTY).toByteArray()).containsExactly(0, 0);
    assertThat(connection.unframed(new byte[] {0, 1, 7})).containsExactly(7);
    assertThat(connection.unframed(new byte[] {0, 0})).isEmpty();
    assertThat(connection.unframed(ByteBuffer.allocate(2)).remaining()).isZero();
    assertThat(connection.unframed(ByteString.copyFrom(new byte[2]))).isEmpty();
  }
}
