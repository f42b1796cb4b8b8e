package dev.waymark.net.lane;

import static dev.waymark.net.lane.RawFrames.INITIAL_WINDOW_SIZE;
import static dev.waymark.net.lane.RawFrames.MAX_CONCURRENT_STREAMS;
import static dev.waymark.net.lane.RawFrames.MAX_FRAME_SIZE;
import static dev.waymark.net.lane.RawFrames.STREAM;
import static dev.waymark.net.lane.RawFrames.ascii;
import static dev.waymark.net.lane.RawFrames.block;
import static dev.waymark.net.lane.RawFrames.bomb;
import static dev.waymark.net.lane.RawFrames.contentLength;
import static dev.waymark.net.lane.RawFrames.continuation;
import static dev.waymark.net.lane.RawFrames.data;
import static dev.waymark.net.lane.RawFrames.dataAndEnd;
import static dev.waymark.net.lane.RawFrames.emptyParts;
import static dev.waymark.net.lane.RawFrames.filler;
import static dev.waymark.net.lane.RawFrames.frame;
import static dev.waymark.net.lane.RawFrames.goAway;
import static dev.waymark.net.lane.RawFrames.headers;
import static dev.waymark.net.lane.RawFrames.headersOf;
import static dev.waymark.net.lane.RawFrames.hugeBlock;
import static dev.waymark.net.lane.RawFrames.padded;
import static dev.waymark.net.lane.RawFrames.parts;
import static dev.waymark.net.lane.RawFrames.ping;
import static dev.waymark.net.lane.RawFrames.priority;
import static dev.waymark.net.lane.RawFrames.promise;
import static dev.waymark.net.lane.RawFrames.reset;
import static dev.waymark.net.lane.RawFrames.response;
import static dev.waymark.net.lane.RawFrames.settings;
import static dev.waymark.net.lane.RawFrames.settingsAck;
import static dev.waymark.net.lane.RawFrames.trailers;
import static dev.waymark.net.lane.RawFrames.trailersOf;
import static dev.waymark.net.lane.RawFrames.trailersOnly;
import static dev.waymark.net.lane.RawFrames.windowUpdate;
import static dev.waymark.net.lane.RawFrames.withPriority;
import static dev.waymark.net.lane.ScriptedUpstream.DEFAULT_WINDOW_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.lane.ScriptedUpstream.State;
import dev.waymark.testing.Frames;
import io.grpc.Status;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a client of HTTP/2 (RFC 9113) and gRPC ("gRPC over HTTP2") does with each frame in each
 * state, as tables: like h2spec, which only tests servers.
 */
class AttachStreamFramesTest {
  /** A stream that the bridge never opened. */
  private static final int IDLE = 5;

  /** A stream that the bridge skipped, which closed it (RFC 9113, section 5.1.1). */
  private static final int SKIPPED = 1;

  /** A stream that only the upstream could open, by PUSH_PROMISE. */
  private static final int PUSHED = 2;

  private static final int UNKNOWN_TYPE = 0xbe;
  private static final long MAX_STREAM = Integer.MAX_VALUE;
  private static final int FRAME_BYTES_MAX = 16_384;
  private static final int HEADER_LIST_BYTES_MAX = 8_192;

  /** The frames of an ordinary end by the bridge. */
  private static final String[] CANCELLED = {"RST_STREAM 3 CANCEL", "GOAWAY NO_ERROR"};

  private static final String[] CLOSED = {"GOAWAY NO_ERROR"};

  private final ScriptedUpstream upstream;

  AttachStreamFramesTest() throws Exception {
    upstream = new ScriptedUpstream();
  }

  @AfterEach
  void end() {
    upstream.end();
  }

  private static final Set<State> ANY = EnumSet.range(State.WAITING, State.HALF_CLOSED);
  private static final Set<State> STREAM_EXISTS = EnumSet.range(State.CALLED, State.HALF_CLOSED);
  private static final Set<State> RESPONDED = EnumSet.of(State.OPEN, State.HALF_CLOSED);
  private static final Set<State> CONNECTED = EnumSet.of(State.CONNECTED);
  private static final Set<State> WAITING = EnumSet.of(State.WAITING);
  private static final Set<State> CALLED = EnumSet.of(State.CALLED);
  private static final Set<State> OPEN = EnumSet.of(State.OPEN);
  private static final Set<State> HALF_CLOSED = EnumSet.of(State.HALF_CLOSED);

  /**
   * A rule.
   *
   * @param code with which the call ends
   * @param cause a part of the description; GOES_ON if the call does not end
   * @param data what the bridge reads
   * @param answers the frames that the bridge sends
   */
  private record Row(
      String name,
      Set<State> states,
      List<byte[]> frames,
      Status.Code code,
      String cause,
      String data,
      List<String> answers) {
    private static final String GOES_ON = "(goes on)";

    Row goesOn(String... frames) {
      return new Row(name, states, this.frames, Status.Code.OK, GOES_ON, data, List.of(frames));
    }

    Row ends(Status.Code status, String description, String... frames) {
      return new Row(name, states, this.frames, status, description, data, List.of(frames));
    }

    Row connectionError(Http2Error error) {
      return ends(Status.Code.INTERNAL, "HTTP/2 " + error, "GOAWAY " + error);
    }

    Row streamError(Http2Error error) {
      return ends(
          Status.Code.INTERNAL,
          "HTTP/2 " + error,
          "RST_STREAM " + STREAM + " " + error,
          "GOAWAY NO_ERROR");
    }

    Row delivers(String text) {
      return new Row(name, states, frames, code, cause, text, answers);
    }

    boolean isEnd() {
      return !cause.equals(GOES_ON);
    }
  }

  private static Row row(String name, Set<State> states, byte[]... frames) {
    return new Row(name, states, List.of(frames), Status.Code.OK, Row.GOES_ON, "", List.of());
  }

  // --- the tables ---

  static Stream<Arguments> firstFrames() {
    return table(
        row("SETTINGS", CONNECTED, settings()).goesOn("SETTINGS ACK", "HEADERS 3"),
        row("SETTINGS ACK", CONNECTED, settingsAck()).connectionError(Http2Error.PROTOCOL_ERROR),
        row("DATA", CONNECTED, data(STREAM, "a")).connectionError(Http2Error.PROTOCOL_ERROR),
        row("HEADERS", CONNECTED, response()).connectionError(Http2Error.PROTOCOL_ERROR),
        row("PRIORITY", CONNECTED, priority(STREAM, 0)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("RST_STREAM", CONNECTED, reset(STREAM, 0)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("PUSH_PROMISE", CONNECTED, promise(STREAM, PUSHED))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("PING", CONNECTED, ping(0, 0)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("GOAWAY", CONNECTED, goAway(0, 0, Http2Error.NO_ERROR, ""))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("WINDOW_UPDATE", CONNECTED, windowUpdate(0, 1))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("CONTINUATION", CONNECTED, continuation(0, STREAM))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("unknown", CONNECTED, frame(UNKNOWN_TYPE, 0, 0))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("an answer of HTTP/1.1", CONNECTED, ascii("HTTP/1.1 400 Bad Request\r\n\r\n"))
            .connectionError(Http2Error.PROTOCOL_ERROR));
  }

  static Stream<Arguments> onTheConnection() {
    return table(
        row("DATA", ANY, data(0, "a")).connectionError(Http2Error.PROTOCOL_ERROR),
        row("HEADERS", ANY, headers(0, ":status", "200"))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("PRIORITY", ANY, priority(0, IDLE)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("RST_STREAM", ANY, reset(0, 0)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("SETTINGS", ANY, settings()).goesOn("SETTINGS ACK"),
        row("SETTINGS ACK, expected", ANY, settingsAck()).goesOn(),
        row("SETTINGS ACK, not expected", ANY, settingsAck(), settingsAck(), settingsAck())
            .goesOn(),
        row("PUSH_PROMISE", ANY, promise(0, PUSHED)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("PING", ANY, ping(0, 0)).goesOn("PING ACK 7761796d61726b21"),
        row("PING ACK, not expected", ANY, ping(Frames.ACK, 0)).goesOn(),
        row("GOAWAY", STREAM_EXISTS, goAway(0, MAX_STREAM, Http2Error.NO_ERROR, "")).goesOn(),
        row("GOAWAY", WAITING, goAway(0, MAX_STREAM, Http2Error.NO_ERROR, ""))
            .ends(Status.Code.UNAVAILABLE, "GOAWAY NO_ERROR", CLOSED),
        row("WINDOW_UPDATE", ANY, windowUpdate(0, 1)).goesOn(),
        row("CONTINUATION", ANY, continuation(0, 0)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("unknown", ANY, frame(UNKNOWN_TYPE, 0xff, 0, ascii("abc"))).goesOn(),
        row("ALTSVC", ANY, frame(0xa, 0, 0, ascii("\0\1ah2=\":1\""))).goesOn(),
        row("ORIGIN", ANY, frame(0xc, 0, 0, ascii("\0\10http://a"))).goesOn(),
        row("the reserved bit is set", ANY, ping(0, 1 << 31)).goesOn("PING ACK 7761796d61726b21"));
  }

  static Stream<Arguments> onTheStream() {
    return table(
        row("DATA", RESPONDED, data(STREAM, "ab")).goesOn().delivers("ab"),
        row("DATA before HEADERS", CALLED, data(STREAM, "ab"))
            .ends(
                Status.Code.INTERNAL,
                "DATA came before HEADERS",
                "RST_STREAM 3 PROTOCOL_ERROR",
                "GOAWAY NO_ERROR"),
        row("empty DATA", RESPONDED, data(STREAM, 0), data(STREAM, 0)).goesOn(),
        row("HEADERS", CALLED, response()).goesOn(),
        row("HEADERS again", RESPONDED, response()).streamError(Http2Error.PROTOCOL_ERROR),
        row("PRIORITY", STREAM_EXISTS, priority(STREAM, SKIPPED)).goesOn(),
        row("RST_STREAM", STREAM_EXISTS, reset(STREAM, Http2Error.CANCEL.code()))
            .ends(Status.Code.CANCELLED, "RST_STREAM CANCEL", CLOSED),
        row("SETTINGS", STREAM_EXISTS, frame(Http2FrameTypes.SETTINGS, 0, STREAM))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("PUSH_PROMISE", STREAM_EXISTS, promise(STREAM, PUSHED))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("PUSH_PROMISE after SETTINGS ACK", OPEN, settingsAck(), promise(STREAM, PUSHED))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("PING", STREAM_EXISTS, ping(0, STREAM)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("GOAWAY", STREAM_EXISTS, goAway(STREAM, MAX_STREAM, Http2Error.NO_ERROR, ""))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("WINDOW_UPDATE", STREAM_EXISTS, windowUpdate(STREAM, 1)).goesOn(),
        row("CONTINUATION", STREAM_EXISTS, continuation(Frames.END_HEADERS, STREAM))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("unknown", STREAM_EXISTS, frame(UNKNOWN_TYPE, 0xff, STREAM, ascii("abc"))).goesOn());
  }

  static Stream<Arguments> onOtherStreams() {
    return table(
        row("DATA, idle", ANY, data(IDLE, "a")).connectionError(Http2Error.PROTOCOL_ERROR),
        row("HEADERS, idle", ANY, headers(IDLE, ":status", "200"))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("PRIORITY, idle", ANY, priority(IDLE, STREAM)).goesOn(),
        row("RST_STREAM, idle", ANY, reset(IDLE, 0)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("PUSH_PROMISE, idle", ANY, promise(IDLE, PUSHED))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("WINDOW_UPDATE, idle", ANY, windowUpdate(IDLE, 1))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("CONTINUATION, idle", ANY, continuation(0, IDLE))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("unknown, idle", ANY, frame(UNKNOWN_TYPE, 0, IDLE)).goesOn(),
        row("DATA, closed", STREAM_EXISTS, data(SKIPPED, "a")).goesOn("RST_STREAM 1 STREAM_CLOSED"),
        row("HEADERS, closed", STREAM_EXISTS, headers(SKIPPED, ":status", "200"))
            .goesOn("RST_STREAM 1 STREAM_CLOSED"),
        row("RST_STREAM, closed", STREAM_EXISTS, reset(SKIPPED, 0)).goesOn(),
        row("WINDOW_UPDATE, closed", STREAM_EXISTS, windowUpdate(SKIPPED, 1)).goesOn(),
        row("DATA, the upstream's", ANY, data(PUSHED, "a"))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        // A connection error by the letter (section 5.1); to refuse the stream does as well.
        row("HEADERS, the upstream's", ANY, headers(PUSHED, ":status", "200"))
            .goesOn("RST_STREAM 2 REFUSED_STREAM"),
        row("RST_STREAM, the upstream's", ANY, reset(PUSHED, 0))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("WINDOW_UPDATE, the upstream's", ANY, windowUpdate(PUSHED, 1))
            .connectionError(Http2Error.PROTOCOL_ERROR));
  }

  static Stream<Arguments> sizes() {
    byte[] large = block(":status", "200", "content-type", "application/grpc", "a", filler(300));
    return table(
        row("DATA of 16,384", OPEN, data(STREAM, FRAME_BYTES_MAX))
            .goesOn()
            .delivers("\0".repeat(FRAME_BYTES_MAX)),
        row("DATA of 16,385", OPEN, data(STREAM, FRAME_BYTES_MAX + 1))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("the header of a frame of 2^24 - 1", OPEN, new byte[] {-1, -1, -1, 0, 0, 0, 0, 0, 3})
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("unknown of 16,384", OPEN, frame(UNKNOWN_TYPE, 0, STREAM, new byte[FRAME_BYTES_MAX]))
            .goesOn(),
        row(
                "unknown of 16,385",
                OPEN,
                frame(UNKNOWN_TYPE, 0, STREAM, new byte[FRAME_BYTES_MAX + 1]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("PING of 7", OPEN, frame(Http2FrameTypes.PING, 0, 0, new byte[7]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("PING of 9", OPEN, frame(Http2FrameTypes.PING, 0, 0, new byte[9]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("RST_STREAM of 3", OPEN, frame(Http2FrameTypes.RST_STREAM, 0, STREAM, new byte[3]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("PRIORITY of 4", OPEN, frame(Http2FrameTypes.PRIORITY, 0, STREAM, new byte[4]))
            .streamError(Http2Error.FRAME_SIZE_ERROR),
        row("GOAWAY of 7", OPEN, frame(Http2FrameTypes.GO_AWAY, 0, 0, new byte[7]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("WINDOW_UPDATE of 5", OPEN, frame(Http2FrameTypes.WINDOW_UPDATE, 0, 0, new byte[5]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("SETTINGS of 5", OPEN, frame(Http2FrameTypes.SETTINGS, 0, 0, new byte[5]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("SETTINGS ACK of 6", OPEN, frame(Http2FrameTypes.SETTINGS, Frames.ACK, 0, new byte[6]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("a header list of 8 KiB", OPEN, trailersOf(HEADER_LIST_BYTES_MAX))
            .ends(Status.Code.OK, "null", CANCELLED),
        row("a header list of 8 KiB + 1", OPEN, trailersOf(HEADER_LIST_BYTES_MAX + 1))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("a header list of 10 KiB + 1", OPEN, trailersOf(10 * 1024 + 1))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("an HPACK bomb", CALLED, bomb()).streamError(Http2Error.PROTOCOL_ERROR),
        row("the response in 16 small parts", CALLED, parts(large, 16)).goesOn(),
        row("the response in 17 small parts", CALLED, parts(large, 17))
            .connectionError(Http2Error.ENHANCE_YOUR_CALM),
        row("empty CONTINUATION without an end", CALLED, emptyParts(100))
            .connectionError(Http2Error.ENHANCE_YOUR_CALM),
        row("a response in two large parts, beyond 8 KiB", CALLED, parts(hugeBlock(16_000), 2))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row(
                "HEADERS that no CONTINUATION follows",
                CALLED,
                frame(Http2FrameTypes.HEADERS, 0, STREAM, large),
                ping(0, 0))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row(
                "CONTINUATION of another stream",
                CALLED,
                frame(Http2FrameTypes.HEADERS, 0, STREAM, large),
                continuation(Frames.END_HEADERS, IDLE))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row(
                "an unknown frame within a header block",
                CALLED,
                frame(Http2FrameTypes.HEADERS, 0, STREAM, large),
                frame(UNKNOWN_TYPE, 0, STREAM))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row(
                "a header block that HPACK cannot read",
                CALLED,
                frame(
                    Http2FrameTypes.HEADERS,
                    Frames.END_HEADERS,
                    STREAM,
                    (byte) 0xff,
                    (byte) 0xff,
                    (byte) 0xff))
            .connectionError(Http2Error.COMPRESSION_ERROR));
  }

  static Stream<Arguments> paddingAndPriority() {
    byte[] block = block(":status", "200", "content-type", "application/grpc");
    return table(
        row("DATA with padding", OPEN, padded(Http2FrameTypes.DATA, 0, 200, ascii("ab")))
            .goesOn()
            .delivers("ab"),
        row("DATA of padding alone", OPEN, padded(Http2FrameTypes.DATA, 0, 255, new byte[0]))
            .goesOn(),
        row(
                "DATA with a padding of 0",
                OPEN,
                frame(Http2FrameTypes.DATA, Frames.PADDED, STREAM, new byte[] {0, 'a'}))
            .goesOn()
            .delivers("a"),
        row(
                "DATA with more padding than payload",
                OPEN,
                frame(Http2FrameTypes.DATA, Frames.PADDED, STREAM, new byte[] {2, 'a'}))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row(
                "DATA without its padding length",
                OPEN,
                frame(Http2FrameTypes.DATA, Frames.PADDED, STREAM))
            // A connection error by the letter (section 4.2 leaves the choice for DATA).
            .streamError(Http2Error.FRAME_SIZE_ERROR),
        row(
                "HEADERS with padding",
                CALLED,
                padded(Http2FrameTypes.HEADERS, Frames.END_HEADERS, 100, block))
            .goesOn(),
        row(
                "HEADERS with more padding than payload",
                CALLED,
                frame(
                    Http2FrameTypes.HEADERS,
                    Frames.END_HEADERS | Frames.PADDED,
                    STREAM,
                    new byte[] {50, 1, 2}))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row(
                "HEADERS without their padding length",
                CALLED,
                frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS | Frames.PADDED, STREAM))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("HEADERS with a priority", CALLED, withPriority(SKIPPED, block)).goesOn(),
        row("HEADERS with an exclusive priority", CALLED, withPriority(1 << 31, block)).goesOn(),
        row(
                "HEADERS too short for their priority",
                CALLED,
                frame(Http2FrameTypes.HEADERS, 0x24, STREAM, new byte[4]))
            .connectionError(Http2Error.FRAME_SIZE_ERROR),
        row("PRIORITY of a stream on itself", OPEN, priority(STREAM, STREAM))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("flags that mean nothing", OPEN, frame(Http2FrameTypes.DATA, 0xf6, STREAM, ascii("a")))
            .goesOn()
            .delivers("a"));
  }

  static Stream<Arguments> settingsOfTheUpstream() {
    return table(
        row("unknown setting", OPEN, settings(0x9, 1, 0xf000, 0xffffffffL)).goesOn("SETTINGS ACK"),
        row(
                "the same setting twice",
                OPEN,
                settings(MAX_FRAME_SIZE, 16_384, MAX_FRAME_SIZE, 16_385))
            .goesOn("SETTINGS ACK"),
        row("ENABLE_PUSH 0", OPEN, settings(2, 0)).goesOn("SETTINGS ACK"),
        row("ENABLE_PUSH 1", OPEN, settings(2, 1))
            .ends(
                Status.Code.INTERNAL,
                "HTTP/2 PROTOCOL_ERROR",
                "SETTINGS ACK",
                "GOAWAY PROTOCOL_ERROR"),
        row("ENABLE_PUSH 2", OPEN, settings(2, 2)).connectionError(Http2Error.PROTOCOL_ERROR),
        row("INITIAL_WINDOW_SIZE 2^31", OPEN, settings(INITIAL_WINDOW_SIZE, 1L << 31))
            .connectionError(Http2Error.FLOW_CONTROL_ERROR),
        row("INITIAL_WINDOW_SIZE 2^31 - 1", OPEN, settings(INITIAL_WINDOW_SIZE, (1L << 31) - 1))
            .goesOn("SETTINGS ACK"),
        row("MAX_FRAME_SIZE 16,383", OPEN, settings(MAX_FRAME_SIZE, 16_383))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("MAX_FRAME_SIZE 2^24 - 1", OPEN, settings(MAX_FRAME_SIZE, (1 << 24) - 1))
            .goesOn("SETTINGS ACK"),
        row("MAX_FRAME_SIZE 2^24", OPEN, settings(MAX_FRAME_SIZE, 1 << 24))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row("HEADER_TABLE_SIZE 2^32 - 1", OPEN, settings(1, 0xffffffffL)).goesOn("SETTINGS ACK"),
        row("MAX_HEADER_LIST_SIZE 0, too late", STREAM_EXISTS, settings(6, 0))
            .goesOn("SETTINGS ACK"),
        row(
                "MAX_CONCURRENT_STREAMS 0, too late",
                STREAM_EXISTS,
                settings(MAX_CONCURRENT_STREAMS, 0))
            .goesOn("SETTINGS ACK"),
        row("window of the stream grows to 2^31 - 1", OPEN, windowUpdate(STREAM, fullWindow()))
            .goesOn(),
        row("window of the stream grows to 2^31", OPEN, windowUpdate(STREAM, fullWindow() + 1))
            .streamError(Http2Error.FLOW_CONTROL_ERROR),
        row("window of the connection grows to 2^31", OPEN, windowUpdate(0, fullWindow() + 1))
            .connectionError(Http2Error.FLOW_CONTROL_ERROR),
        row(
                "INITIAL_WINDOW_SIZE makes the stream's window grow to 2^31",
                OPEN,
                windowUpdate(STREAM, fullWindow()),
                settings(INITIAL_WINDOW_SIZE, DEFAULT_WINDOW_BYTES + 1))
            // A connection error by the letter (section 6.9.2); the connection ends as well.
            .ends(
                Status.Code.INTERNAL,
                "HTTP/2 FLOW_CONTROL_ERROR",
                "SETTINGS ACK",
                "RST_STREAM 3 FLOW_CONTROL_ERROR",
                "GOAWAY NO_ERROR"),
        row("WINDOW_UPDATE of 0 for the stream", OPEN, windowUpdate(STREAM, 0))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("WINDOW_UPDATE of 0 for the connection", OPEN, windowUpdate(0, 0))
            .connectionError(Http2Error.PROTOCOL_ERROR));
  }

  static Stream<Arguments> endsOfTheConnection() {
    return table(
        row("last stream is ours", OPEN, goAway(0, STREAM, Http2Error.NO_ERROR, "")).goesOn(),
        row(
                "last stream is ours, with an error",
                OPEN,
                goAway(0, STREAM, Http2Error.ENHANCE_YOUR_CALM, "too_many_pings"))
            .goesOn(),
        row(
                "last stream is lower",
                STREAM_EXISTS,
                goAway(0, SKIPPED, Http2Error.ENHANCE_YOUR_CALM, "too_many_pings"))
            .ends(Status.Code.UNAVAILABLE, "GOAWAY ENHANCE_YOUR_CALM: too_many_pings", CANCELLED),
        row("last stream is none", STREAM_EXISTS, goAway(0, 0, Http2Error.INTERNAL_ERROR, ""))
            .ends(Status.Code.UNAVAILABLE, "GOAWAY INTERNAL_ERROR", CANCELLED),
        row(
                "twice: announced, then ours is the last",
                OPEN,
                goAway(0, MAX_STREAM, Http2Error.NO_ERROR, ""),
                goAway(0, STREAM, Http2Error.NO_ERROR, ""))
            .goesOn(),
        row(
                "twice: announced, then ours is beyond",
                OPEN,
                goAway(0, MAX_STREAM, Http2Error.NO_ERROR, "drain"),
                goAway(0, SKIPPED, Http2Error.NO_ERROR, "gone"))
            .ends(Status.Code.UNAVAILABLE, "GOAWAY NO_ERROR: gone", CANCELLED),
        row(
                "twice: the last stream increases",
                OPEN,
                goAway(0, STREAM, Http2Error.NO_ERROR, ""),
                goAway(0, MAX_STREAM, Http2Error.NO_ERROR, ""))
            .connectionError(Http2Error.PROTOCOL_ERROR),
        row(
                "an unknown code",
                OPEN,
                frame(Http2FrameTypes.GO_AWAY, 0, 0, new byte[] {0, 0, 0, 0, 0x7f, 0, 0, 1}))
            .ends(Status.Code.UNAVAILABLE, "GOAWAY with error code 2130706433", CANCELLED),
        row(
                "then the call ends",
                OPEN,
                goAway(0, STREAM, Http2Error.NO_ERROR, ""),
                trailers(STREAM, "grpc-status", "14", "grpc-message", "shutting down"))
            .ends(Status.Code.UNAVAILABLE, "shutting down", CANCELLED));
  }

  static Stream<Arguments> resets() {
    record Reset(long code, Status.Code status) {}
    return IntStream.rangeClosed(0, 0xe)
        .mapToObj(code ->
            new Reset(
                code,
                switch (code) {
                  case 0x7 -> Status.Code.UNAVAILABLE;
                  case 0x8 -> Status.Code.CANCELLED;
                  case 0xb -> Status.Code.RESOURCE_EXHAUSTED;
                  case 0xc -> Status.Code.PERMISSION_DENIED;
                  default -> Status.Code.INTERNAL;
                }))
        .flatMap(each ->
            table(
                row("code " + each.code, OPEN, reset(STREAM, each.code))
                    .ends(each.status, "RST_STREAM ", CLOSED)));
  }

  static Stream<Arguments> responses() {
    return table(
        row("content-type with a suffix", CALLED, headersOf("200", "application/grpc+proto"))
            .goesOn(),
        row("content-type with a parameter", CALLED, headersOf("200", "application/grpc;x=y"))
            .goesOn(),
        row("content-type in capitals", CALLED, headersOf("200", "Application/GRPC")).goesOn(),
        row("gRPC-Web", CALLED, headersOf("200", "application/grpc-web"))
            .ends(
                Status.Code.UNKNOWN,
                "HTTP status 200, content-type application/grpc-web",
                CANCELLED),
        row("HTTP 200, a web page", CALLED, headersOf("200", "text/html"))
            .ends(Status.Code.UNKNOWN, "HTTP status 200, content-type text/html", CANCELLED),
        row("HTTP 200, no content-type", CALLED, headers(STREAM, ":status", "200"))
            .ends(Status.Code.UNKNOWN, "HTTP status 200, content-type null", CANCELLED),
        row("HTTP 400", CALLED, headersOf("400", "text/html"))
            .ends(Status.Code.INTERNAL, "HTTP status 400", CANCELLED),
        row("HTTP 401", CALLED, headersOf("401", "text/html"))
            .ends(Status.Code.UNAUTHENTICATED, "HTTP status 401", CANCELLED),
        row("HTTP 403", CALLED, headersOf("403", "text/html"))
            .ends(Status.Code.PERMISSION_DENIED, "HTTP status 403", CANCELLED),
        row("HTTP 404", CALLED, headersOf("404", "text/html"))
            .ends(Status.Code.UNIMPLEMENTED, "HTTP status 404, content-type text/html", CANCELLED),
        row("HTTP 404 that ends the stream", CALLED, trailers(STREAM, ":status", "404"))
            .ends(Status.Code.UNIMPLEMENTED, "HTTP status 404, content-type null", CANCELLED),
        row("HTTP 404 of gRPC", CALLED, headersOf("404", "application/grpc"))
            .ends(Status.Code.UNIMPLEMENTED, "HTTP status 404", CANCELLED),
        row("HTTP 429", CALLED, headersOf("429", "text/html"))
            .ends(Status.Code.UNAVAILABLE, "HTTP status 429", CANCELLED),
        row("HTTP 500", CALLED, headersOf("500", "text/html"))
            .ends(Status.Code.UNKNOWN, "HTTP status 500", CANCELLED),
        row("HTTP 502", CALLED, headersOf("502", "text/html"))
            .ends(Status.Code.UNAVAILABLE, "HTTP status 502", CANCELLED),
        row("HTTP 503 with a body", CALLED, headersOf("503", "text/html"), data(STREAM, "sorry"))
            .ends(Status.Code.UNAVAILABLE, "HTTP status 503", CANCELLED),
        row("HTTP 504", CALLED, headersOf("504", "text/html"))
            .ends(Status.Code.UNAVAILABLE, "HTTP status 504", CANCELLED),
        row("HTTP 301", CALLED, headersOf("301", "text/html"))
            .ends(Status.Code.UNKNOWN, "HTTP status 301", CANCELLED),
        row("no :status", CALLED, headers(STREAM, "content-type", "application/grpc"))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("no :status, trailers only", CALLED, trailers(STREAM, "grpc-status", "0"))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row(
                "informational headers first",
                CALLED,
                headers(STREAM, ":status", "100"),
                headers(STREAM, ":status", "103", "link", "</a>"),
                response())
            .goesOn(),
        row("informational headers alone", CALLED, headers(STREAM, ":status", "103")).goesOn(),
        row(
                "informational headers, then DATA",
                CALLED,
                headers(STREAM, ":status", "100"),
                data(3, "a"))
            .ends(
                Status.Code.INTERNAL,
                "DATA came before HEADERS",
                "RST_STREAM 3 PROTOCOL_ERROR",
                "GOAWAY NO_ERROR"),
        row("informational headers late", OPEN, headers(STREAM, ":status", "103"))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("a name in capitals", CALLED, headers(STREAM, ":status", "200", "Content-Type", "a"))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row(
                "a header of HTTP/1.1",
                CALLED,
                headers(STREAM, ":status", "200", "connection", "close"))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("a pseudo-header of requests", CALLED, headers(STREAM, ":status", "200", ":path", "/"))
            .streamError(Http2Error.PROTOCOL_ERROR),
        row("more content than announced", CALLED, contentLength("1"), data(STREAM, "ab"))
            .streamError(Http2Error.PROTOCOL_ERROR));
  }

  static Stream<Arguments> endsOfTheStream() {
    return Stream.concat(
        IntStream.rangeClosed(0, 16).boxed().flatMap(code -> statusCode(code)),
        table(
            row("by trailers, after halfClose", HALF_CLOSED, trailers(STREAM, "grpc-status", "0"))
                .ends(Status.Code.OK, "null", CLOSED),
            row("by DATA", OPEN, dataAndEnd(STREAM, "ab"))
                .ends(Status.Code.INTERNAL, "ended without a grpc-status", CANCELLED)
                .delivers("ab"),
            row("by empty DATA, after halfClose", HALF_CLOSED, dataAndEnd(STREAM, ""))
                .ends(Status.Code.INTERNAL, "ended without a grpc-status", CLOSED),
            row("by DATA before HEADERS", CALLED, dataAndEnd(STREAM, "ab"))
                .ends(
                    Status.Code.INTERNAL,
                    "DATA came before HEADERS",
                    "RST_STREAM 3 PROTOCOL_ERROR",
                    "GOAWAY NO_ERROR"),
            row(
                    "DATA, then trailers",
                    OPEN,
                    data(STREAM, "a"),
                    trailers(STREAM, "grpc-status", "0"))
                .ends(Status.Code.OK, "null", CANCELLED)
                .delivers("a"),
            row(
                    "trailers, then DATA",
                    OPEN,
                    trailers(STREAM, "grpc-status", "0"),
                    data(STREAM, "a"))
                .ends(Status.Code.OK, "null", CANCELLED),
            row("trailers with a pseudo-header", OPEN, trailers(STREAM, ":status", "200"))
                .streamError(Http2Error.PROTOCOL_ERROR),
            row("no grpc-status", OPEN, trailers(STREAM, "a", "b"))
                .ends(Status.Code.UNKNOWN, "ended without a valid grpc-status", CANCELLED),
            row("no trailers", OPEN, trailers(STREAM))
                .ends(Status.Code.UNKNOWN, "ended without a valid grpc-status", CANCELLED),
            row("no grpc-status, trailers only", CALLED, trailersOnly())
                .ends(Status.Code.UNKNOWN, "HTTP status 200", CANCELLED),
            row("grpc-status 99", OPEN, trailers(STREAM, "grpc-status", "99"))
                .ends(Status.Code.UNKNOWN, "99", CANCELLED),
            row("grpc-status 99, trailers only", CALLED, trailersOnly("grpc-status", "99"))
                .ends(Status.Code.UNKNOWN, "99", CANCELLED),
            row("grpc-status x", OPEN, trailers(STREAM, "grpc-status", "x"))
                .ends(Status.Code.UNKNOWN, "ended without a valid grpc-status", CANCELLED),
            row("grpc-status -1", OPEN, trailers(STREAM, "grpc-status", "-1"))
                .ends(Status.Code.UNKNOWN, "ended without a valid grpc-status", CANCELLED),
            row("grpc-status of 40 digits", OPEN, trailers(STREAM, "grpc-status", "0".repeat(40)))
                .ends(Status.Code.UNKNOWN, "ended without a valid grpc-status", CANCELLED),
            row(
                    "grpc-status wins over HTTP",
                    CALLED,
                    trailers(3, ":status", "503", "grpc-status", "5"))
                .ends(Status.Code.NOT_FOUND, "null", CANCELLED),
            message("a%20b", "a b"),
            message("100%25", "100%"),
            message("%E2%82%ac", "\u20ac"),
            message("%", "%"),
            message("%4", "%4"),
            message("%4g%41", "%4gA"),
            message("%%41", "%A"),
            message("%ff", "\ufffd"),
            message("", "")));
  }

  /** Each row once: when it is too late, its states and outcome do not matter. */
  static Stream<Arguments> late() {
    return Stream.of(
            onTheConnection(),
            onTheStream(),
            onOtherStreams(),
            sizes(),
            paddingAndPriority(),
            settingsOfTheUpstream(),
            endsOfTheConnection(),
            endsOfTheStream())
        .flatMap(table -> table)
        .map(each -> (Row) each.get()[2])
        .distinct()
        .map(row -> Arguments.of(row.name, row));
  }

  private static Stream<Arguments> statusCode(int code) {
    Status.Code expected = Status.fromCodeValue(code).getCode();
    String[] headers = {"grpc-status", "" + code, "grpc-message", "because"};
    return table(
        row("grpc-status " + code, OPEN, trailers(STREAM, headers))
            .ends(expected, "because", CANCELLED),
        row("grpc-status " + code + ", trailers only", CALLED, trailersOnly(headers))
            .ends(expected, "because", CANCELLED));
  }

  private static Row message(String encoded, String decoded) {
    byte[] frame = trailers(STREAM, "grpc-status", "2", "grpc-message", encoded);
    return row("grpc-message \"" + encoded + '"', OPEN, frame)
        .ends(Status.Code.UNKNOWN, "end UNKNOWN: " + decoded, CANCELLED);
  }

  // --- rows at work ---

  @ParameterizedTest(name = "{0}")
  @MethodSource({
    "firstFrames",
    "onTheConnection",
    "onTheStream",
    "onOtherStreams",
    "sizes",
    "paddingAndPriority",
    "settingsOfTheUpstream",
    "endsOfTheConnection",
    "resets",
    "responses",
    "endsOfTheStream"
  })
  void frames_inAState_haveTheirOutcome(String name, State state, Row row) throws Exception {
    upstream.reach(state);

    upstream.sends(row.frames);

    assertThat(upstream.data()).isEqualTo(row.data);
    assertThat(upstream.frames()).isEqualTo(row.answers);
    if (row.isEnd()) {
      assertThat(upstream.events())
          .filteredOn(each -> each.startsWith("end"))
          .singleElement()
          .asString()
          .startsWith("end " + row.code + ": ")
          .contains(row.cause);
      assertThat(upstream.isOpen()).isFalse();
      assertThat(upstream.stream.isWritable()).isFalse();
    } else {
      assertThat(upstream.events()).noneMatch(each -> each.startsWith("end"));
      upstream.expectLife(state);
    }
  }

  /** Whatever comes after the end, while the socket does not take the bridge's last frames. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("late")
  void frames_afterTheEnd_changeNothing(String name, Row row) throws Exception {
    upstream.reach(State.OPEN);
    upstream.stopsReading();
    upstream.sends(trailers(STREAM, "grpc-status", "0"));
    assertThat(upstream.events()).containsExactly("end OK: null");

    upstream.sends(row.frames);

    assertThat(upstream.events()).isEmpty();
    assertThat(upstream.data()).isEmpty();
    upstream.passCloseTimeout();
    assertThat(upstream.isOpen()).isFalse();
    assertThat(upstream.events()).isEmpty();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("onTheStream")
  void frames_afterCancel_changeNothing(String name, State ignored, Row row) throws Exception {
    upstream.reach(State.OPEN);
    upstream.stopsReading();
    upstream.stream.cancel();

    upstream.sends(row.frames);
    upstream.passCloseTimeout();

    assertThat(upstream.isOpen()).isFalse();
    assertThat(upstream.events()).isEmpty();
    assertThat(upstream.data()).isEmpty();
  }

  private static Stream<Arguments> table(Row... rows) {
    return Arrays.stream(rows)
        .flatMap(row ->
            row.states.stream().map(state -> Arguments.of(row.name + ", " + state, state, row)));
  }

  /** What is missing until a window is as large as it may be. */
  private static long fullWindow() {
    return Integer.MAX_VALUE - DEFAULT_WINDOW_BYTES;
  }
}
