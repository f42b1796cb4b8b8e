package dev.waymark.net.lane;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.protocol.codec.UpstreamBatchWriter;
import dev.waymark.testing.Frames;
import dev.waymark.testing.RawServer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Upstreams that attack the bridge, or speak HTTP/2 badly. Whatever they send, only their own lane
 * ends, soon and with a cause that says why; memory stays flat; and another lane on the same event
 * loop is served all the while.
 */
@ParameterizedClass
@MethodSource("transports")
final class HostileUpstreamIT {
  /** Includes what takes long, and every transport; prints figures. */
  private static final boolean IS_LONG = Boolean.getBoolean("waymark.hostile.long");

  /** How many random byte strings each transport gets. */
  private static final int STRINGS = Integer.getInteger("waymark.hostile.strings", 200);

  private static final long SEED = Long.getLong("waymark.hostile.seed", 0x5eed);

  /** How many of them are sent at a time. */
  private static final int STRINGS_AT_A_TIME = 8;

  /** How long traffic goes on that is legal, and so ends no lane. */
  private static final long LEGAL_MS = Long.getLong("waymark.hostile.legal.ms", 50);

  private static final Duration SOON = Duration.ofSeconds(5);

  /** Within this time, the socket's buffers have been filled, or emptied, on a slow machine. */
  private static final Duration LATER = Duration.ofSeconds(30);

  /** Netty's leak detector in its paranoid mode takes several times as long as all the rest. */
  private static final long P99_MS_MAX =
      ResourceLeakDetector.getLevel() == ResourceLeakDetector.Level.PARANOID ? 1_500 : 100;

  /** For a quiet machine: the same bound for the time that passes. */
  private static final long PASSED_P99_MS_MAX =
      Long.getLong("waymark.hostile.p99.ms", Long.MAX_VALUE);

  private static final long DIRECT_BYTES_MAX = 64 << 20;
  private static final long HEAP_BYTES_MAX = 32 << 20;

  private static final int STREAM = RawServer.STREAM;
  private static final int BLOCK_BYTES = 64 * 1024;
  private static final byte[] NOTHING = {};

  /** The headers of a response of gRPC. */
  private static final byte[] RESPONSE =
      concat(bytes(0x88), literal("content-type", "application/grpc"));

  /** The transport that a bridge chooses by itself, or all. */
  static Stream<Transport> transports() {
    return IS_LONG
        ? Stream.of(Transport.IO_URING, Transport.EPOLL, Transport.NIO)
        : Stream.of(Transport.AUTO);
  }

  @SuppressWarnings("NullAway.Init")
  private static TestLoop loop;

  /** A lane on the same loop as the hostile ones. */
  @SuppressWarnings("NullAway.Init")
  private static EchoLane neighbour;

  private static boolean isStarted;
  private static long directBytesBefore;
  private static long heapBytesBefore;

  @BeforeParameterizedClassInvocation
  static void start(Transport transport) throws Exception {
    isStarted = false;
    loop = TestLoop.start(transport);
    heapBytesBefore = heapBytes();
    directBytesBefore = EchoLane.directBytes();
    neighbour = EchoLane.open(loop);
    isStarted = true;
  }

  @AfterParameterizedClassInvocation
  static void neighbourWasServed_andMemoryStayedFlat(Transport transport) throws Exception {
    if (!isStarted) {
      // This host lacks the transport.
      return;
    }
    EchoLane.Figures figures = neighbour.figures();
    if (IS_LONG) {
      System.out.println(transport + " " + figures);
    }
    neighbour.close();
    loop.close();
    assertThat(figures.isAlive()).isTrue();
    assertThat(figures.p99Ms()).as("%s", figures).isLessThan(P99_MS_MAX);
    assertThat(figures.passedP99Ms()).as("%s", figures).isLessThan(PASSED_P99_MS_MAX);
    assertThat(figures.directBytesMax() - directBytesBefore).isLessThan(DIRECT_BYTES_MAX);
    assertThat(heapBytes() - heapBytesBefore).isLessThan(HEAP_BYTES_MAX);
  }

  @Parameter
  @SuppressWarnings("NullAway.Init")
  Transport transport;

  // --- what ends a lane ---

  /** What an upstream does once it has accepted the call, and the lane's cause, as a pattern. */
  private record Attack(String name, String cause, boolean isRead, RawServer.Script script) {
    @Override
    public String toString() {
      return name;
    }

    static Attack of(String name, String cause, RawServer.Script script) {
      return new Attack(name, cause, true, script);
    }
  }

  static Stream<Attack> floods() {
    return Stream.of(
            flood("PING", ".*flood.* of type PING", Frames.ping()),
            flood("SETTINGS", ".*flood.* of type SETTINGS", settings()),
            flood(
                "SETTINGS that move the window",
                ".*flood.* of type SETTINGS",
                Unpooled.wrappedBuffer(settings(0, 4, 0, 0, 0, 0), settings(0, 4, 0, 1, 0, 0))),
            flood(
                "SETTINGS with 2,000 entries",
                ".*KiB of control frames.* of type SETTINGS",
                settings(new int[12_000])),
            flood("RST_STREAM", "CANCELLED: RST_STREAM CANCEL", rst(STREAM)),
            flood("RST_STREAM of an older stream", ".*flood.* of type RST_STREAM", rst(1)),
            flood("GOAWAY", ".*flood.* of type GOAWAY", goAway(Integer.MAX_VALUE)),
            flood("WINDOW_UPDATE", ".*flood.* of type WINDOW_UPDATE", windowUpdate(0, 1)),
            flood(
                "WINDOW_UPDATE of an older stream",
                ".*flood.* of type WINDOW_UPDATE",
                windowUpdate(1, 1)),
            flood("empty DATA", ".*flood.*empty DATA frames.*", data()),
            flood("DATA of one byte", ".*flood.*empty DATA frames.*", data(0)),
            flood("DATA with padding only", ".*flood.*empty DATA frames.*", paddedData()),
            flood("PRIORITY", ".*flood.* of type PRIORITY", priority()),
            flood("unknown frames", ".*flood.* of type 0xfa", Frames.frame(0xfa, 0)),
            flood("large unknown frames", ".*KiB of control frames.*", Frames.frame(0xfa, 16_000)),
            flood("PUSH_PROMISE", ".*PROTOCOL_ERROR.*", pushPromise(2)),
            flood(
                "HEADERS of a stream that was never promised",
                ".*flood.* of type HEADERS|.*ENHANCE_YOUR_CALM.* RST frames.*",
                Frames.frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS, 2, bytes(0x88))))
        .flatMap(each ->
            Stream.of(
                each, new Attack(each.name + ", not reading", each.cause, false, each.script)));
  }

  private static Attack flood(String name, String cause, ByteBuf frames) {
    byte[] once = ByteBufUtil.getBytes(frames);
    return Attack.of(
        name,
        cause,
        connection ->
            connection.sendForever(
                Frames.times(
                    Math.max(1, BLOCK_BYTES / once.length), Unpooled.wrappedBuffer(once))));
  }

  static Stream<Attack> violations() {
    return Stream.of(
        of("RST_STREAM of a stream that never was", ".*PROTOCOL_ERROR.*RST_STREAM.*", rst(101)),
        of("GOAWAY", "UNAVAILABLE: GOAWAY NO_ERROR: bye", goAway(0)),
        of("a window beyond 2^31", ".*FLOW_CONTROL_ERROR.*", windowUpdate(STREAM, 0x7fff_ffff)),
        of("a window update of 0", ".*PROTOCOL_ERROR.*", windowUpdate(STREAM, 0)),
        of(
            "SETTINGS with a window of 2^31",
            ".*(FLOW_CONTROL|PROTOCOL)_ERROR.*",
            settings(0, 4, 0x80, 0, 0, 0)),
        of("SETTINGS with frames of 1 byte", ".*PROTOCOL_ERROR.*", settings(0, 5, 0, 0, 0, 1)),
        of("SETTINGS that enable push", ".*PROTOCOL_ERROR.*", settings(0, 2, 0, 0, 0, 1)),
        of("SETTINGS of 5 bytes", ".*FRAME_SIZE_ERROR.*", settings(0, 5, 0, 0, 0)),
        of(
            "a frame of 16 MiB",
            ".*FRAME_SIZE_ERROR.*|.*exceed.*",
            Unpooled.wrappedBuffer(new byte[] {-1, -1, -1, 0, 0, 0, 0, 0, 3})),
        of(
            "CONTINUATION without HEADERS",
            ".*PROTOCOL_ERROR.*",
            Frames.frame(9, 0, STREAM, NOTHING)),
        of(
            "PING between HEADERS and CONTINUATION",
            ".*PROTOCOL_ERROR.*",
            Unpooled.wrappedBuffer(openHeaders(), Frames.ping())),
        of(
            "too much padding",
            ".*PROTOCOL_ERROR.*|.*FRAME_SIZE_ERROR.*",
            Frames.frame(0, Frames.PADDED, STREAM, new byte[] {9, 0, 0})),
        of(
            "CONTINUATION in small parts",
            ".*ENHANCE_YOUR_CALM.*",
            Unpooled.wrappedBuffer(
                openHeaders(), Frames.times(2_000, Frames.frame(9, 0, STREAM, new byte[1])))),
        of(
            "empty CONTINUATION",
            ".*ENHANCE_YOUR_CALM.*",
            Unpooled.wrappedBuffer(
                openHeaders(), Frames.times(2_000, Frames.frame(9, 0, STREAM, NOTHING)))),
        of(
            "large CONTINUATION",
            ".*Header size exceeded.*",
            Unpooled.wrappedBuffer(
                openHeaders(), Frames.times(100, Frames.frame(9, 0, STREAM, new byte[16_000])))),
        of("an HPACK bomb", ".*Header size exceeded.*", headers(bomb())),
        of(
            "a header list of 15 KiB",
            ".*Header size exceeded.*",
            headers(literal("a", "x".repeat(15_000)))),
        of(
            "an HPACK index that does not exist",
            ".*COMPRESSION_ERROR.*",
            headers(new byte[] {(byte) 0xfe})),
        of(
            "an HPACK table of 1 GiB",
            ".*COMPRESSION_ERROR.*",
            headers(new byte[] {0x3f, -31, -1, -1, -1, 7})),
        of(
            "HPACK tables that change size without end",
            ".*Header size exceeded.*",
            Frames.times(100, headers(sizeUpdates()))),
        of(
            "an integer of HPACK without end",
            ".*COMPRESSION_ERROR.*",
            headers(repeated(0x7f, 0xff, 5_000))),
        of(
            "Huffman code with EOS",
            ".*COMPRESSION_ERROR.*",
            headers(new byte[] {0, 1, 'a', (byte) 0x84, -1, -1, -1, -1})),
        of(
            "103 Early Hints after the headers",
            ".*PROTOCOL_ERROR.*",
            headers(literal(":status", "103"))),
        of("an unknown field of protobuf, compressed", "malformed frame: .*", data(1, 0, 0, 0, 0)),
        of("a message of 4 GiB", "malformed frame: .*", data(0, -1, -1, -1, -1)));
  }

  /** Fills the kernel's buffer of what we send first, which grows to 4 MiB. */
  static Stream<Attack> slowAttacks() {
    return Stream.of(
            unread(
                "PING as often as DATA allows it",
                ".*does not read the answers to its control frames.*",
                Frames.times(2_000, Unpooled.wrappedBuffer(data(0, 0, 0, 0, 0), Frames.ping()))))
        .filter(_ -> IS_LONG);
  }

  private static Attack unread(String name, String cause, ByteBuf frames) {
    byte[] all = ByteBufUtil.getBytes(frames);
    return new Attack(
        name, cause, false, connection -> connection.sendForever(Unpooled.wrappedBuffer(all)));
  }

  private static Attack of(String name, String cause, ByteBuf frames) {
    byte[] once = ByteBufUtil.getBytes(frames);
    return Attack.of(
        name,
        cause,
        connection -> {
          connection.send(Unpooled.wrappedBuffer(once));
          connection.drain();
        });
  }

  @ParameterizedTest
  @MethodSource({"floods", "violations", "slowAttacks"})
  void attack_endsItsLaneWithACause(Attack attack) throws Exception {
    var closed = new CountDownLatch(1);
    try (var server =
        RawServer.start(connection -> {
          try {
            connection.sendHeaders();
            if (attack.isRead) {
              connection.drainMeanwhile();
            }
            attack.script.run(connection);
          } finally {
            closed.countDown();
          }
        })) {
      TestLane lane = TestLane.open(loop, server.port());

      assertThat(lane.awaitEnd(attack.isRead ? SOON : LATER)).matches(attack.cause);
      assertThat(closed.await(SOON.toMillis(), TimeUnit.MILLISECONDS)).as("closed").isTrue();
      assertOver(lane);
    }
  }

  private static ConditionFactory soon() {
    return await().atMost(SOON).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1));
  }

  private static void assertOver(TestLane lane) {
    soon().until(lane::isChannelClosed);
    assertThat(lane.causes()).hasSize(1);
    assertThat(lane.bugs()).isEmpty();
  }

  // --- what the upstream is told ---

  @Test
  void violation_isToldToTheUpstream() throws Exception {
    var told = new CompletableFuture<List<RawServer.Received>>();
    try (var server =
        RawServer.start(connection -> {
          connection.sendHeaders();
          connection.send(windowUpdate(0, 0));
          told.complete(rest(connection));
        })) {
      TestLane lane = TestLane.open(loop, server.port());

      lane.awaitEnd(SOON);
      assertThat(told.get(5, TimeUnit.SECONDS))
          .filteredOn(frame -> frame.type() == Http2FrameTypes.GO_AWAY)
          .first()
          .satisfies(frame -> {
            assertThat(frame.payload()[7]).as("PROTOCOL_ERROR").isEqualTo((byte) 1);
            assertThat(new String(frame.payload(), ISO_8859_1)).contains("delta 0");
          });
    }
  }

  /** That could go on without end (RFC 9113, section 5.4.2). */
  @Test
  void reset_isNotAnsweredWithAReset() throws Exception {
    var told = new CompletableFuture<List<RawServer.Received>>();
    try (var server =
        RawServer.start(connection -> {
          connection.sendHeaders();
          connection.send(rst(STREAM));
          told.complete(rest(connection));
        })) {
      TestLane lane = TestLane.open(loop, server.port());

      assertThat(lane.awaitEnd(SOON)).isEqualTo("CANCELLED: RST_STREAM CANCEL");
      assertThat(told.get(5, TimeUnit.SECONDS))
          .noneMatch(frame -> frame.type() == Http2FrameTypes.RST_STREAM);
    }
  }

  @Test
  void upstream_allowingNoHeaders_isRefusedAtOnce() throws Exception {
    try (var server =
        RawServer.startAtOnce(connection -> {
          connection.send(settings(0, 6, 0, 0, 0, 1));
          connection.drain();
        })) {
      TestLane lane = TestLane.open(loop, server.port());

      assertThat(lane.awaitEnd(SOON))
          .startsWith(
              "INTERNAL: cannot send the request: Header size exceeded max allowed size (1)");
      assertOver(lane);
    }
  }

  /** The limit of 0 streams holds before the upstream has acknowledged it. */
  @Test
  void streamsOfTheUpstream_areRefusedFromTheBeginning() throws Exception {
    var told = new CompletableFuture<RawServer.Received>();
    try (var server =
        RawServer.startAtOnce(connection -> {
          connection.send(settings());
          connection.awaitCall();
          connection.sendHeaders();
          connection.send(
              Frames.frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS, 2, bytes(0x88)));
          RawServer.Received frame;
          do {
            frame = connection.receive();
          } while (frame.type() != Http2FrameTypes.RST_STREAM);
          told.complete(frame);
        })) {
      TestLane lane = TestLane.open(loop, server.port());

      assertThat(told.get(5, TimeUnit.SECONDS).payload()[3])
          .as("REFUSED_STREAM")
          .isEqualTo((byte) 7);
      assertThat(lane.awaitEnd(SOON)).contains("connection");
    }
  }

  private static List<RawServer.Received> rest(RawServer.Connection connection) {
    List<RawServer.Received> frames = new ArrayList<>();
    try {
      while (true) {
        frames.add(connection.receive());
      }
    } catch (IOException closed) {
      return frames;
    }
  }

  // --- slow and cut off ---

  @Test
  void conversation_byteByByte_works() throws Exception {
    try (var server =
        RawServer.startAtOnce(connection -> {
          slowly(connection, settings());
          connection.awaitCall();
          slowly(connection, Frames.settingsAck());
          slowly(connection, conversation());
          connection.drain();
        })) {
      TestLane lane = TestLane.open(loop, server.port());

      assertThat(lane.awaitEnd(SOON)).isEqualTo("INTERNAL: bye");
      assertThat(lane.framesReceived()).isEqualTo(3);
      assertOver(lane);
    }
  }

  private static void slowly(RawServer.Connection connection, ByteBuf frames) throws IOException {
    while (frames.isReadable()) {
      connection.send(frames.readRetainedSlice(1));
    }
    frames.release();
  }

  /** A response with three frames in two messages, and its trailers. */
  private static ByteBuf conversation() {
    var writer = new UpstreamBatchWriter();
    writer.settings(0, false, false);
    writer.data(7, 1, Unpooled.wrappedBuffer(new byte[300]), 5, null, false, false, 0);
    ByteBuf first = writer.batch().takeMessage(ByteBufAllocator.DEFAULT);
    writer.pong(3);
    ByteBuf second = writer.batch().takeMessage(ByteBufAllocator.DEFAULT);
    ByteBuf all =
        Unpooled.copiedBuffer(
            headers(RESPONSE),
            dataOf(first),
            dataOf(second),
            Frames.frame(
                Http2FrameTypes.HEADERS,
                Frames.END_HEADERS | Frames.END_STREAM,
                STREAM,
                concat(literal("grpc-status", "13"), literal("grpc-message", "bye"))));
    first.release();
    second.release();
    return all;
  }

  private static ByteBuf dataOf(ByteBuf message) {
    return Frames.frame(
        Http2FrameTypes.DATA, Frames.NO_FLAGS, STREAM, ByteBufUtil.getBytes(message));
  }

  /**
   * With FIN or with RST. But on io_uring, Netty 4.2.18 misses an RST that follows data at once,
   * until the next write; a lane learns of it by its next Ping.
   */
  @Test
  void conversation_cutOff_endsItsLane() throws Exception {
    byte[] whole = ByteBufUtil.getBytes(conversation());
    var length = new AtomicInteger();
    try (var server =
        RawServer.start(connection -> {
          int sent = length.get();
          connection.send(Unpooled.wrappedBuffer(whole, 0, sent));
          boolean isResetNoticed = transport == Transport.EPOLL || transport == Transport.NIO;
          if (sent % 2 == 0 || !isResetNoticed) {
            connection.finish();
          } else {
            connection.reset();
          }
        })) {
      for (int sent = 0; sent < whole.length - 1; sent += 31) {
        length.set(sent);
        TestLane lane = TestLane.open(loop, server.port());

        assertThat(lane.awaitEnd(SOON))
            .as("after %s bytes", sent)
            .matches("UNAVAILABLE: connection (closed|lost: .*)");
        assertOver(lane);
      }
    }
  }

  // --- what we send ---

  @Test
  void window_ofOneByte_isUsedByteByByte() throws Exception {
    int wanted = 300;
    var received = new AtomicInteger();
    try (var server =
        RawServer.startAtOnce(connection -> {
          connection.send(settings(0, 4, 0, 0, 0, 1));
          connection.awaitCall();
          connection.send(Frames.settingsAck());
          connection.sendHeaders();
          while (received.get() < wanted) {
            RawServer.Received frame = connection.receive();
            if (frame.type() == Http2FrameTypes.DATA) {
              assertThat(frame.payload()).hasSize(1);
              received.incrementAndGet();
              connection.send(windowUpdate(STREAM, 1));
            }
          }
        })) {
      TestLane lane = TestLane.open(loop, server.port());
      soon().until(lane::isOpen);
      loop.eventLoop().execute(() -> lane.send(Unpooled.wrappedBuffer(new byte[wanted])));

      assertThat(lane.awaitEnd(SOON)).startsWith("UNAVAILABLE: connection");
      assertThat(received).hasValue(wanted);
      assertOver(lane);
    }
  }

  @Test
  void window_ofZero_holdsWhatWasSentUntilTheEnd() throws Exception {
    var mayEnd = new CountDownLatch(1);
    try (var server =
        RawServer.startAtOnce(connection -> {
          connection.send(settings(0, 4, 0, 0, 0, 0));
          connection.awaitCall();
          connection.send(Frames.settingsAck());
          connection.sendHeaders();
          connection.drainMeanwhile();
          mayEnd.await();
        })) {
      TestLane lane = TestLane.open(loop, server.port());
      soon().until(lane::isOpen);
      ByteBuf payload = ByteBufAllocator.DEFAULT.directBuffer(60_000).writeZero(60_000);
      loop.call(() -> {
        for (int i = 0; i < 30; i++) {
          lane.send(payload.retain());
        }
        return "";
      });

      assertThat(loop.call(lane::isWritable)).isFalse();
      assertThat(lane.causes()).isEmpty();
      mayEnd.countDown();
      assertThat(lane.awaitEnd(SOON)).startsWith("UNAVAILABLE: connection");
      assertOver(lane);
      soon().until(() -> payload.refCnt() == 1);
      payload.release();
    }
  }

  /** The socket's buffers are full, so that neither RST_STREAM nor GOAWAY leaves. */
  @Test
  void lane_canceledWhileTheUpstreamDoesNotRead_closesItsChannel() throws Exception {
    var mayEnd = new CountDownLatch(1);
    try (var server =
        RawServer.startAtOnce(connection -> {
          connection.send(settings(0, 4, 0x7f, -1, -1, -1));
          connection.send(windowUpdate(0, 0x7fff_0000));
          connection.awaitCall();
          connection.send(Frames.settingsAck());
          connection.sendHeaders();
          mayEnd.await();
        })) {
      TestLane lane = TestLane.open(loop, server.port());
      soon().until(lane::isOpen);
      ByteBuf payload = ByteBufAllocator.DEFAULT.directBuffer(60_000).writeZero(60_000);
      loop.call(() -> {
        for (int i = 0; i < 200; i++) {
          lane.send(payload.retain());
        }
        return "";
      });
      assertThat(loop.call(lane::isWritable)).isFalse();
      loop.eventLoop().execute(lane::cancel);

      soon().atMost(Duration.ofSeconds(3)).until(lane::isChannelClosed);
      soon().until(() -> payload.refCnt() == 1);
      payload.release();
      assertThat(lane.causes()).isEmpty();
      mayEnd.countDown();
    }
  }

  // --- legal, but expensive ---

  /** A message of length 0 takes 5 bytes, in a DATA frame of its own 14; no count forbids it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void emptyMessages_delayNobodyElse(boolean areInTheirOwnFrames) throws Exception {
    byte[] messages =
        ByteBufUtil.getBytes(
            areInTheirOwnFrames
                ? Frames.times(4_000, data(0, 0, 0, 0, 0))
                : Frames.frame(Http2FrameTypes.DATA, 0, STREAM, new byte[16_000]));
    try (var server =
        RawServer.start(connection -> {
          connection.sendHeaders();
          connection.drainMeanwhile();
          long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LEGAL_MS);
          while (System.nanoTime() < endNs) {
            connection.send(Unpooled.wrappedBuffer(messages));
          }
        })) {
      TestLane lane = TestLane.open(loop, server.port());

      assertThat(lane.awaitEnd(LATER.plusMillis(LEGAL_MS))).startsWith("UNAVAILABLE: connection");
      assertOver(lane);
    }
  }

  // --- random bytes ---

  @Test
  void randomBytes_endTheirLanes() throws Exception {
    var number = new AtomicLong();
    try (var server =
        RawServer.start(connection -> {
          connection.send(randomBytes(new SplittableRandom(SEED + number.getAndIncrement())));
          connection.finish();
        })) {
      var open = new ArrayDeque<TestLane>();
      for (int i = 0; i < STRINGS; i++) {
        if (open.size() == STRINGS_AT_A_TIME) {
          assertEnded(open.remove());
        }
        open.add(TestLane.open(loop, server.port()));
      }
      while (!open.isEmpty()) {
        assertEnded(open.remove());
      }
    }
  }

  private static void assertEnded(TestLane lane) throws Exception {
    assertThat(lane.awaitEnd(SOON)).as("seed 0x%x", SEED).isNotEmpty();
    assertOver(lane);
  }

  /** Bytes, or frames, or a conversation with a few bytes changed. */
  private static ByteBuf randomBytes(SplittableRandom random) {
    return switch (random.nextInt(3)) {
      case 0 -> Unpooled.wrappedBuffer(bytesOf(random, random.nextInt(200)));
      case 1 -> randomFrames(random);
      default -> damaged(random);
    };
  }

  private static byte[] bytesOf(SplittableRandom random, int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }

  private static ByteBuf randomFrames(SplittableRandom random) {
    ByteBuf frames = random.nextBoolean() ? headers(RESPONSE) : Unpooled.buffer();
    for (int i = random.nextInt(1, 20); i > 0; i--) {
      int stream = random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(5);
      byte[] payload = bytesOf(random, random.nextInt(random.nextInt(8) == 0 ? 300 : 12));
      frames.writeBytes(Frames.frame(random.nextInt(11), random.nextInt(256), stream, payload));
    }
    return frames;
  }

  private static ByteBuf damaged(SplittableRandom random) {
    ByteBuf conversation = conversation();
    for (int i = random.nextInt(1, 6); i > 0; i--) {
      conversation.setByte(random.nextInt(conversation.writerIndex()), random.nextInt(256));
    }
    return conversation;
  }

  // --- frames ---

  private static ByteBuf settings(int... bytes) {
    return Frames.frame(Http2FrameTypes.SETTINGS, Frames.NO_FLAGS, 0, bytes(bytes));
  }

  private static ByteBuf rst(int stream) {
    return Frames.frame(Http2FrameTypes.RST_STREAM, Frames.NO_FLAGS, stream, bytes(0, 0, 0, 8));
  }

  private static ByteBuf goAway(int lastStream) {
    byte[] payload =
        ByteBufUtil.getBytes(
            Unpooled.buffer()
                .writeInt(lastStream)
                .writeInt(0)
                .writeBytes(new byte[] {'b', 'y', 'e'}));
    return Frames.frame(Http2FrameTypes.GO_AWAY, Frames.NO_FLAGS, 0, payload);
  }

  private static ByteBuf windowUpdate(int stream, int increment) {
    byte[] payload = ByteBufUtil.getBytes(Unpooled.buffer().writeInt(increment));
    return Frames.frame(Http2FrameTypes.WINDOW_UPDATE, Frames.NO_FLAGS, stream, payload);
  }

  private static ByteBuf data(int... bytes) {
    return Frames.frame(Http2FrameTypes.DATA, Frames.NO_FLAGS, STREAM, bytes(bytes));
  }

  private static ByteBuf paddedData() {
    byte[] payload = new byte[201];
    payload[0] = (byte) 200;
    return Frames.frame(Http2FrameTypes.DATA, Frames.PADDED, STREAM, payload);
  }

  private static ByteBuf priority() {
    return Frames.frame(Http2FrameTypes.PRIORITY, Frames.NO_FLAGS, STREAM, bytes(0, 0, 0, 1, 16));
  }

  private static ByteBuf pushPromise(int promised) {
    byte[] payload =
        ByteBufUtil.getBytes(
            Unpooled.buffer().writeInt(promised).writeByte(0x82).writeByte(0x86).writeByte(0x84));
    return Frames.frame(Http2FrameTypes.PUSH_PROMISE, Frames.END_HEADERS, STREAM, payload);
  }

  private static ByteBuf headers(byte[] block) {
    return Frames.frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS, STREAM, block);
  }

  /** HEADERS that CONTINUATION has to follow. */
  private static ByteBuf openHeaders() {
    return Frames.frame(Http2FrameTypes.HEADERS, Frames.NO_FLAGS, STREAM, NOTHING);
  }

  /** A literal header field that is not indexed (RFC 7541, section 6.2.2). */
  private static byte[] literal(String name, String value) {
    return field(0x00, name, value);
  }

  private static byte[] field(int type, String name, String value) {
    ByteBuf field = Unpooled.buffer().writeByte(type);
    string(field, name);
    string(field, value);
    return ByteBufUtil.getBytes(field);
  }

  /** A string that is not Huffman-coded (RFC 7541, sections 5.1 and 5.2). */
  private static void string(ByteBuf into, String text) {
    int length = text.length();
    if (length < 0x7f) {
      into.writeByte(length);
    } else {
      into.writeByte(0x7f);
      int rest = length - 0x7f;
      for (; rest >= 0x80; rest >>= 7) {
        into.writeByte((rest & 0x7f) | 0x80);
      }
      into.writeByte(rest);
    }
    into.writeCharSequence(text, ISO_8859_1);
  }

  /** A field that fills the dynamic table, and 12,000 references to it, of one byte each. */
  private static byte[] bomb() {
    return ByteBufUtil.getBytes(
        Unpooled.wrappedBuffer(field(0x40, "a", "x".repeat(4_000)), repeated(0xbe, 0xbe, 12_000)));
  }

  private static byte[] sizeUpdates() {
    return repeated(0x20, 0x3f, 0, 5_000);
  }

  private static byte[] repeated(int first, int then, int count) {
    byte[] bytes = new byte[count];
    Arrays.fill(bytes, (byte) then);
    bytes[0] = (byte) first;
    return bytes;
  }

  private static byte[] repeated(int one, int two, int three, int count) {
    byte[] bytes = new byte[3 * count];
    for (int i = 0; i < count; i++) {
      bytes[3 * i] = (byte) one;
      bytes[3 * i + 1] = (byte) two;
      bytes[3 * i + 2] = (byte) three;
    }
    return bytes;
  }

  private static byte[] concat(byte[]... parts) {
    return ByteBufUtil.getBytes(Unpooled.wrappedBuffer(parts));
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static long heapBytes() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
