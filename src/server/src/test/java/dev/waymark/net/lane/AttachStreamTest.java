package dev.waymark.net.lane;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AttachStreamTest {
  private static final int MAX_STREAM_ID = Integer.MAX_VALUE;

  private final List<Status> ends = new ArrayList<>();
  private final BrokenSocket socket = new BrokenSocket();
  private final AttachStream stream =
      AttachStream.create("upstream:1", "test", 1 << 20, new Recorder());
  private final EmbeddedChannel channel = new EmbeddedChannel(socket, stream);

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void write_failing_endsTheCallWithTheSocketsMessage() {
    receiveSettings();
    socket.isBroken = true;
    stream.send(Unpooled.wrappedBuffer(new byte[10]));
    assertThat(ends).extracting(Status::getCode).containsExactly(Status.Code.UNAVAILABLE);
    assertThat(ends)
        .extracting(Status::getDescription)
        .containsExactly("connection lost: Connection reset by peer");
  }

  @Test
  void write_failingAfterGoAway_endsTheCallWithWhatTheUpstreamSaid() {
    receiveSettings();
    receiveGoAway();
    assertThat(ends).isEmpty();
    socket.isBroken = true;
    stream.send(Unpooled.wrappedBuffer(new byte[10]));
    assertThat(ends).extracting(Status::getDescription).containsExactly("GOAWAY NO_ERROR");
  }

  private void receiveSettings() {
    channel.writeInbound(frame(Http2FrameTypes.SETTINGS, Unpooled.EMPTY_BUFFER));
    assertThat(stream.isWritable()).isTrue();
  }

  private void receiveGoAway() {
    channel.writeInbound(
        frame(Http2FrameTypes.GO_AWAY, Unpooled.buffer().writeInt(MAX_STREAM_ID).writeInt(0)));
  }

  /** Returns a frame of stream 0 without flags. */
  private static ByteBuf frame(byte type, ByteBuf payload) {
    ByteBuf header =
        Unpooled.buffer()
            .writeMedium(payload.readableBytes())
            .writeByte(type)
            .writeByte(0)
            .writeInt(0);
    return Unpooled.wrappedBuffer(header, payload);
  }

  /** Refuses writes, as a socket does that the peer has reset. */
  private static final class BrokenSocket extends ChannelOutboundHandlerAdapter {
    boolean isBroken;

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      if (isBroken) {
        ReferenceCountUtil.release(message);
        promise.setFailure(new IOException("Connection reset by peer"));
      } else {
        context.write(message, promise);
      }
    }
  }

  private final class Recorder implements AttachStream.Listener {
    @Override
    public void onWritable() {}

    @Override
    public void onAccepted() {}

    @Override
    public void onData(ByteBuf data) {}

    @Override
    public void onEnd(Status status) {
      ends.add(status);
    }
  }
}
