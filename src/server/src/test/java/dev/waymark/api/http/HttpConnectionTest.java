package dev.waymark.api.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.telemetry.EventLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How long the admin port waits for its peers, not counting its own standstills. */
final class HttpConnectionTest {
  private static final String HALF_A_HEAD = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n";
  private static final String REST_OF_HEAD = "\r\n";

  private long nowMs;
  private final HttpPort.Shared port =
      new HttpPort(new InetSocketAddress(0), List.of(), List.of(), new EventLog(() -> 0))
      .new Shared(Runnable::run, () -> nowMs * 1_000_000);
  private final EmbeddedChannel channel =
      new EmbeddedChannel(new HttpServerCodec(), new ChunkedWriteHandler());

  HttpConnectionTest() {
    port.start();
    channel.pipeline().addLast(new HttpConnection(port, channel));
    channel.pipeline().fireChannelActive();
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  private void send(String text) {
    channel.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
  }

  private void passMs(long ms) {
    for (long endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += 100;
      port.tick();
    }
  }

  private void standStillMs(long ms) {
    nowMs += ms;
    port.tick();
  }

  private void assertReply(String status) {
    ByteBuf reply = channel.readOutbound();
    assertThat(reply).isNotNull();
    assertThat(reply.toString(StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 " + status);
    reply.release();
  }

  @Test
  void request_incomplete_isClosedAfter5s() {
    send(HALF_A_HEAD);
    passMs(4_900);
    assertThat(channel.isOpen()).isTrue();
    passMs(200);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void request_completedAfterStandstill_isAnswered() {
    passMs(1_000);
    send(HALF_A_HEAD);
    standStillMs(35_000);
    passMs(400);
    send(REST_OF_HEAD);
    assertReply("404");
  }

  @Test
  void keptAliveConnection_acrossStandstill_keepsItsIdleTime() {
    send(HALF_A_HEAD + REST_OF_HEAD);
    assertReply("404");
    passMs(20_000);
    standStillMs(60_000);
    assertThat(channel.isOpen()).isTrue();
    passMs(10_000);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void silentPeer_endlessShortStandstills_isClosedEventually() {
    send(HALF_A_HEAD);
    for (int i = 0; i < 60; i++) {
      standStillMs(300);
    }
    assertThat(channel.isOpen()).isFalse();
  }
}
