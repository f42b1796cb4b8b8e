package dev.waymark.protocol.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.http2.FrameMeter.Peer;
import dev.waymark.testing.Frames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameMeterTest {
  private final MockTicker ticker = Ticker.newMockTicker();
  private final FrameMeter meter = new FrameMeter(Peer.SERVER, ticker);

  @ParameterizedTest
  @CsvSource({
    "2, 5, PRIORITY",
    "3, 4, RST_STREAM",
    "4, 6, SETTINGS",
    "4, 0, SETTINGS",
    "5, 4, PUSH_PROMISE",
    "6, 8, PING",
    "7, 8, GOAWAY",
    "8, 4, WINDOW_UPDATE",
    "9, 1, CONTINUATION",
    "1, 1, HEADERS",
    "250, 1, 0xfa"
  })
  void frames_withoutData_areAFlood(int type, int payloadBytes, String name) {
    ByteBuf flood = Frames.times(2 * FrameMeter.FRAMES_MAX + 1, Frames.frame(type, payloadBytes));

    assertThat(meter.onBytes(flood))
        .isEqualTo(
            "HTTP/2 flood: the upstream sent more than 1000 control frames within a"
                + " second, the last of type "
                + name);
  }

  @Test
  void frames_upToTheLimit_areNoFlood() {
    assertThat(meter.onBytes(Frames.times(FrameMeter.FRAMES_MAX, settings()))).isNull();
    ticker.advance(1, TimeUnit.SECONDS);
    assertThat(meter.onBytes(Frames.times(FrameMeter.FRAMES_MAX, settings()))).isNull();
    assertThat(meter.onBytes(Frames.times(FrameMeter.FRAMES_MAX, settings()))).isNotNull();
  }

  @Test
  void frames_fewButLarge_areAFlood() {
    assertThat(meter.onBytes(Frames.times(30, Frames.frame(Http2FrameTypes.SETTINGS, 12_000))))
        .contains("more than 256 KiB of control frames", "SETTINGS");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4})
  void emptyData_inARow_isAFlood(int bytes) {
    assertThat(meter.onBytes(Frames.times(FrameMeter.EMPTY_DATA_MAX, Frames.data(bytes)))).isNull();
    assertThat(meter.onBytes(Frames.data(bytes)))
        .isEqualTo(
            "HTTP/2 flood: the upstream sent more than 1000 empty DATA frames in a row within a"
                + " second, the last of type DATA");
  }

  @Test
  void emptyData_betweenMessages_isNoFloodAtAnyRate() {
    ByteBuf some = Unpooled.wrappedBuffer(Frames.times(100, Frames.data(0)), Frames.data(20));

    assertThat(meter.onBytes(Frames.times(1_000, some))).isNull();
  }

  @Test
  void data_onlyPadding_isAFlood() {
    byte[] payload = new byte[256];
    payload[0] = (byte) 255;
    ByteBuf padded = Frames.frame(Http2FrameTypes.DATA, Frames.PADDED, 1, payload);

    assertThat(meter.onBytes(Frames.times(FrameMeter.EMPTY_DATA_MAX + 1, padded))).contains("DATA");
  }

  @Test
  void data_withPaddingAndContent_isNoFlood() {
    byte[] payload = new byte[110];
    payload[0] = 100;
    ByteBuf padded = Frames.frame(Http2FrameTypes.DATA, Frames.PADDED, 1, payload);

    assertThat(meter.onBytes(Frames.times(10_000, padded))).isNull();
  }

  @Test
  void pingAndWindowUpdate_followingData_areNoFloodAtAnyRate() {
    ByteBuf exchange =
        Unpooled.wrappedBuffer(
            Frames.data(20),
            Frames.ping(),
            Frames.ping(),
            Frames.frame(Http2FrameTypes.WINDOW_UPDATE, 4),
            Frames.frame(Http2FrameTypes.WINDOW_UPDATE, 4));

    assertThat(meter.onBytes(Frames.times(20_000, exchange))).isNull();
  }

  @Test
  void pings_followingSentData_areNoFlood() {
    for (int i = 0; i < 20_000; i++) {
      meter.onDataSent();
      assertThat(meter.onBytes(Frames.ping())).isNull();
    }
  }

  @Test
  void settings_followingData_areAFlood() {
    ByteBuf exchange = Unpooled.wrappedBuffer(Frames.data(20), settings());

    assertThat(meter.onBytes(Frames.times(FrameMeter.FRAMES_MAX + 1, exchange))).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 9, 10, 11, 64})
  void frames_splitAnywhere_areCountedTheSame(int chunkBytes) {
    byte[] padded = new byte[100];
    padded[0] = 99;
    ByteBuf stream =
        Frames.times(
            FrameMeter.FRAMES_MAX,
            Unpooled.wrappedBuffer(
                Frames.data(50),
                settings(),
                Frames.frame(Http2FrameTypes.DATA, Frames.PADDED, 1, padded)));
    while (stream.isReadable()) {
      int bytes = Math.min(chunkBytes, stream.readableBytes());
      assertThat(meter.onBytes(stream.readSlice(bytes))).isNull();
    }
    assertThat(meter.onBytes(settings())).isNotNull();
  }

  @Test
  void calls_fromClient_areNoFloodAtAnyRate() {
    FrameMeter server = new FrameMeter(Peer.CLIENT, ticker);
    ByteBuf call =
        Unpooled.wrappedBuffer(
            Frames.frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS, 1, new byte[300]),
            Frames.frame(Http2FrameTypes.DATA, Frames.END_STREAM, 1, new byte[0]));

    assertThat(server.onBytes(preface())).isNull();
    assertThat(server.onBytes(Frames.times(20_000, call))).isNull();
    assertThat(server.onBytes(Frames.times(FrameMeter.FRAMES_MAX + 1, settings())))
        .contains("the client sent");
  }

  @Test
  void bytes_notHttp2_areLeftToTheCodec() {
    byte[] other = "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    assertThat(meter.onBytes(Frames.times(100_000, Unpooled.wrappedBuffer(other)))).isNull();
  }

  private static ByteBuf settings() {
    return Frames.frame(Http2FrameTypes.SETTINGS, 6);
  }

  private static ByteBuf preface() {
    return Unpooled.copiedBuffer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", StandardCharsets.US_ASCII);
  }
}
