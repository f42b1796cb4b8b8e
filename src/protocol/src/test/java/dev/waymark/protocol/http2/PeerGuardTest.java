package dev.waymark.protocol.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.testing.Frames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PeerGuardTest {
  private static final int PREFACE_BYTES = 24;
  private static final int HEADER_BYTES = 9;

  private final List<String> floods = new ArrayList<>();
  private final EmbeddedChannel channel = dialled();

  @BeforeEach
  void begin() {
    channel.writeOutbound(Unpooled.wrappedBuffer(new byte[PREFACE_BYTES]));
  }

  @AfterEach
  void end() {
    channel.finishAndReleaseAll();
  }

  @Test
  void payload_lookingLikeAFrame_isPayload() {
    ByteBuf looksLikeGoAway = Frames.frame(Http2FrameTypes.GO_AWAY, 8);
    ByteBuf header = Frames.data(looksLikeGoAway.readableBytes());
    channel.writeOutbound(header.writerIndex(HEADER_BYTES), looksLikeGoAway);
    channel.advanceTimeBy(PeerGuard.GOAWAY_TIMEOUT_MS, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();

    assertThat(channel.config().isAutoRead()).isTrue();
    assertThat(channel.isOpen()).isTrue();
  }

  @Test
  void goAway_sent_stopsReadingAndSoonClosesTheChannel() {
    channel.writeOutbound(Frames.frame(Http2FrameTypes.GO_AWAY, 8));

    assertThat(channel.writeInbound(Frames.ping())).isFalse();
    assertThat(channel.config().isAutoRead()).isFalse();
    assertThat(channel.isOpen()).isTrue();
    channel.advanceTimeBy(PeerGuard.GOAWAY_TIMEOUT_MS, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void flood_received_isNotForwarded() {
    assertThat(channel.writeInbound(Frames.ping())).isTrue();
    channel.inboundMessages().clear();
    assertThat(channel.writeInbound(Frames.times(FrameMeter.FRAMES_MAX, Frames.ping()))).isFalse();
    assertThat(floods).hasSize(1);
    assertThat(channel.isOpen()).isFalse();
  }

  private EmbeddedChannel dialled() {
    var dialled = new EmbeddedChannel(PeerGuard.forDialled(floods::add, () -> {}));
    dialled.freezeTime();
    return dialled;
  }
}
