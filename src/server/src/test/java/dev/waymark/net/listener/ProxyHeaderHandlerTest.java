package dev.waymark.net.listener;

import static dev.waymark.net.listener.ProxyHeaders.LOCAL;
import static dev.waymark.net.listener.ProxyHeaders.PROXY;
import static dev.waymark.net.listener.ProxyHeaders.binary;
import static dev.waymark.net.listener.ProxyHeaders.join;
import static dev.waymark.net.listener.ProxyHeaders.line;
import static dev.waymark.net.listener.ProxyHeaders.tcp4;
import static dev.waymark.net.listener.ProxyHeaders.tlv;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.ProxyFacts;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ProxyHeaderHandlerTest {
  private static final long TIMEOUT_MS = 5_000;

  /** What the handler said and passed on, in order. */
  private final List<String> log = new ArrayList<>();

  private boolean isRefusing;

  private final ProxyHeaderHandler.Outcome outcome =
      new ProxyHeaderHandler.Outcome() {
        @Override
        public boolean onReady(ProxyFacts facts) {
          log.add("ready " + (facts.isLocal() ? "LOCAL" : facts.sourceAddress()));
          return !isRefusing;
        }

        @Override
        public void onCheck() {
          log.add("check");
        }

        @Override
        public void onRefused(RefusalReason reason, String detail) {
          log.add(("refused " + reason.label() + " " + detail).strip());
        }
      };

  /** Stands for the client's handler. */
  private final class Next extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      log.add("active");
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      log.add("read " + bytes.toString(ISO_8859_1));
      bytes.release();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      log.add("caught " + cause.getMessage());
    }
  }

  private final MockTicker ticker = Ticker.newMockTicker();
  private long standstillNs;
  private final EmbeddedChannel channel = newChannel();

  private EmbeddedChannel newChannel() {
    long timeoutNs = TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
    return EmbeddedChannel.builder()
        .ticker(ticker)
        .handlers(
            new ProxyHeaderHandler(
                "10.0.0.9:5", () -> ticker.nanoTime() - standstillNs, timeoutNs, outcome),
            new Next())
        .build();
  }

  @AfterEach
  void end() {
    channel.finishAndReleaseAll();
  }

  private void send(byte[] bytes) {
    send(channel, bytes);
  }

  private static void send(EmbeddedChannel to, byte[] bytes) {
    to.writeInbound(PooledByteBufAllocator.DEFAULT.buffer().writeBytes(bytes));
  }

  private void advance(long ms) {
    ticker.advanceMillis(ms);
    channel.runScheduledPendingTasks();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private boolean isHandlerGone() {
    return channel.pipeline().get(ProxyHeaderHandler.class) == null;
  }

  static Stream<byte[]> headers() {
    return Stream.of(
        line("PROXY TCP4 192.0.2.1 198.51.100.2 4660 443"),
        tcp4(),
        tcp4(tlv(0x02, "example.org"), tlv(0x04, new byte[300])));
  }

  @ParameterizedTest
  @MethodSource("headers")
  void client_isReadyOnce_andLosesNoByte_whereverTheHeaderIsSplit(byte[] header) {
    byte[] all = join(header, bytes("hello"));
    for (int first = 1; first < all.length; first++) {
      for (int second = first; second <= all.length; second += 1 + all.length / 20) {
        log.clear();
        EmbeddedChannel split = newChannel();
        send(split, Arrays.copyOf(all, first));
        send(split, Arrays.copyOfRange(all, first, second));
        send(split, Arrays.copyOfRange(all, second, all.length));
        assertThat(log).startsWith("ready 192.0.2.1:4660", "active");
        String read =
            String.join(
                "", log.subList(2, log.size()).stream().map(one -> one.substring(5)).toList());
        assertThat(read).isEqualTo("hello");
        assertThat(split.pipeline().get(ProxyHeaderHandler.class)).isNull();
        split.finishAndReleaseAll();
      }
    }
  }

  @Test
  void client_withItsHeaderOnly_isReadyAtOnce_andTheTimerIsGone() {
    assertThat(log).isEmpty();
    send(tcp4());
    assertThat(log).containsExactly("ready 192.0.2.1:4660", "active");
    assertThat(isHandlerGone()).isTrue();
    advance(10 * TIMEOUT_MS);
    assertThat(channel.isOpen()).isTrue();
    assertThat(log).hasSize(2);
  }

  @Test
  void headerThatIsNotValid_isRefusedWithWhatIsWrong() {
    send(line("PROXY TCP4 192.0.2.1 198.51.100.2 4660 65536"));
    assertThat(log).containsExactly("refused proxy_header_invalid malformed port");
  }

  @Test
  void bytesThatAreNoHeader_areRefusedAtTheFirstWrongOne() {
    send(bytes("P"));
    assertThat(channel.isOpen()).isTrue();
    send(bytes("O"));
    assertThat(log).containsExactly("refused proxy_header_missing");
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void header_byteByByte_isRefusedAfterTheTimeout_notEarlier() {
    byte[] header = tcp4(tlv(0x04, new byte[300]));
    for (int i = 0; i < 50; i++) {
      send(new byte[] {header[i]});
      advance(TIMEOUT_MS / 50 - 1);
    }
    assertThat(log).isEmpty();
    advance(49);
    assertThat(log).isEmpty();
    advance(1);
    assertThat(log).containsExactly("refused proxy_header_timeout");
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void silence_isRefusedAfterTheTimeout() {
    advance(TIMEOUT_MS - 1);
    assertThat(log).isEmpty();
    advance(1);
    assertThat(log).containsExactly("refused proxy_header_timeout");
  }

  @Test
  void timeThatTheLoopStoodStill_doesNotCount() {
    standstillNs = TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
    advance(2 * TIMEOUT_MS - 1);
    assertThat(log).isEmpty();
    advance(1);
    assertThat(log).containsExactly("refused proxy_header_timeout");
  }

  @Test
  void fin_inTheMiddleOfTheHeader_isRefused() {
    send(bytes("PROXY TCP4"));
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThat(log).containsExactly("refused proxy_header_incomplete");
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void reset_inTheMiddleOfTheHeader_isRefused() {
    send(bytes("PROXY TCP4"));
    channel.pipeline().fireExceptionCaught(new IOException("Connection reset"));
    assertThat(log).containsExactly("refused proxy_header_incomplete");
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void socketThatEndsWithoutAByte_isACheck() {
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThat(log).containsExactly("check");
    assertThat(channel.isOpen()).isFalse();
  }

  static Stream<byte[]> headersWithoutAClient() {
    return Stream.of(
        binary(LOCAL, 0),
        binary(PROXY, 0),
        line("PROXY UNKNOWN"),
        // HAProxy's health checks with version 1: the client is HAProxy itself.
        line("PROXY TCP4 10.0.0.9 10.0.0.1 5 443"));
  }

  @ParameterizedTest
  @MethodSource("headersWithoutAClient")
  void headerWithoutAClient_thenTheEnd_isACheck(byte[] header) {
    send(header);
    advance(ms(ProxyHeaderHandler.CHECK_NS) - 1);
    assertThat(log).isEmpty();
    channel.close();
    assertThat(log).containsExactly("check");
  }

  @Test
  void headerWithoutAClient_thenAReset_isACheck() {
    send(binary(LOCAL, 0));
    channel.pipeline().fireExceptionCaught(new IOException("Connection reset"));
    assertThat(log).containsExactly("check");
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void headerWithoutAClient_isReadyWithTheFirstByte() {
    send(binary(LOCAL, 0));
    send(bytes("PING"));
    assertThat(log).containsExactly("ready LOCAL", "active", "read PING");
    assertThat(isHandlerGone()).isTrue();
  }

  @Test
  void headerWithoutAClient_withBytesInTheSameRead_isReadyAtOnce() {
    send(join(binary(LOCAL, 0), bytes("PING")));
    assertThat(log).containsExactly("ready LOCAL", "active", "read PING");
  }

  @Test
  void headerWithoutAClient_thatWaitsForTheServerToSpeak_isReadyAfterASecond() {
    send(binary(LOCAL, 0));
    advance(ms(ProxyHeaderHandler.CHECK_NS));
    assertThat(log).containsExactly("ready LOCAL", "active");
    assertThat(isHandlerGone()).isTrue();
    assertThat(channel.isOpen()).isTrue();
  }

  @Test
  void clientThatIsNotAdmitted_isClosed_andNothingFollows() {
    isRefusing = true;
    send(join(tcp4(), bytes("hello")));
    assertThat(log).containsExactly("ready 192.0.2.1:4660");
    assertThat(channel.isOpen()).isFalse();
  }

  /** As on io_uring, where only a write shows that the peer is gone. */
  @Test
  void headerWithoutAClient_whosePeerIsGoneUnnoticed_isACheck() {
    channel
        .pipeline()
        .addFirst(
            new ChannelOutboundHandlerAdapter() {
              @Override
              public void write(
                  ChannelHandlerContext context, Object message, ChannelPromise promise) {
                promise.setFailure(new IOException("Connection reset by peer"));
              }
            });
    send(binary(LOCAL, 0));
    advance(ms(ProxyHeaderHandler.CHECK_NS));
    assertThat(log).containsExactly("check");
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void bug_reachesTheNextHandler() {
    channel.pipeline().fireExceptionCaught(new IllegalStateException("bug"));
    assertThat(log).containsExactly("caught bug");
  }

  /** Memory: the start of a header is kept, and nothing beyond its bound. */
  @Test
  void randomBytes_alwaysComeToAnEnd_withOneOutcome() {
    var random = new SplittableRandom(7);
    List<byte[]> seeds = Stream.concat(headers(), headersWithoutAClient()).toList();
    for (int i = 0; i < 2_000; i++) {
      log.clear();
      EmbeddedChannel hostile = newChannel();
      byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      int cut = random.nextInt(bytes.length);
      send(hostile, Arrays.copyOf(bytes, cut));
      if (hostile.isOpen()) {
        send(hostile, Arrays.copyOfRange(bytes, cut, bytes.length));
      }
      hostile.finishAndReleaseAll();
      long outcomes = log.stream().filter(one -> one.matches("(ready|refused|check).*")).count();
      assertThat(outcomes).as("%s", log).isEqualTo(1);
    }
  }

  private static long ms(long ns) {
    return TimeUnit.NANOSECONDS.toMillis(ns);
  }
}
