package dev.waymark.net.lane;

import static dev.waymark.net.lane.RawFrames.INITIAL_WINDOW_SIZE;
import static dev.waymark.net.lane.RawFrames.MAX_CONCURRENT_STREAMS;
import static dev.waymark.net.lane.RawFrames.MAX_FRAME_SIZE;
import static dev.waymark.net.lane.RawFrames.STREAM;
import static dev.waymark.net.lane.RawFrames.data;
import static dev.waymark.net.lane.RawFrames.goAway;
import static dev.waymark.net.lane.RawFrames.padded;
import static dev.waymark.net.lane.RawFrames.response;
import static dev.waymark.net.lane.RawFrames.settings;
import static dev.waymark.net.lane.RawFrames.settingsAck;
import static dev.waymark.net.lane.RawFrames.trailers;
import static dev.waymark.net.lane.RawFrames.windowUpdate;
import static dev.waymark.net.lane.ScriptedUpstream.DEFAULT_WINDOW_BYTES;
import static dev.waymark.net.lane.ScriptedUpstream.QUEUE_BYTES_MAX;
import static dev.waymark.net.lane.ScriptedUpstream.WINDOW_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.lane.ScriptedUpstream.State;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What the bridge does with a call, and what it learns of it, on a connection that is well or ends.
 */
class AttachStreamTest {
  private static final int FRAME_BYTES_MAX = 16_384;

  /** The frames of an ordinary end by the bridge. */
  private static final String[] CANCELLED = {"RST_STREAM 3 CANCEL", "GOAWAY NO_ERROR"};

  private static final String[] CLOSED = {"GOAWAY NO_ERROR"};

  private final ScriptedUpstream upstream;

  AttachStreamTest() throws Exception {
    upstream = new ScriptedUpstream();
  }

  @AfterEach
  void end() {
    upstream.end();
  }

  // --- the call begins ---

  @Test
  void connection_begins_withPrefaceSettingsAndWindow() throws Exception {
    upstream.expectPreface();

    // ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE
    assertThat(upstream.frames())
        .containsExactly(
            "SETTINGS 2=0 3=0 4=4194304 6=8192",
            "WINDOW_UPDATE 0 +" + (WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
    assertThat(upstream.stream.isWritable()).isFalse();
  }

  @Test
  void request_isGrpc() throws Exception {
    upstream.reach(State.CONNECTED);

    upstream.sends(settings());

    assertThat(upstream.frames()).containsExactly("SETTINGS ACK", "HEADERS 3");
    assertThat(upstream.request())
        .extracting(each -> each.getKey() + ": " + each.getValue())
        .containsExactly(
            ":method: POST",
            ":scheme: http",
            ":path: /waymark.v1.Upstream/Attach",
            ":authority: games.example:7070",
            "te: trailers",
            "content-type: application/grpc",
            "user-agent: waymark/test");
    assertThat(upstream.events()).containsExactly("writable");
    assertThat(upstream.stream.isWritable()).isTrue();
  }

  @Test
  void request_headerTableOfZero_usesNone() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.limitsHeaderTable(0);

    upstream.sends(settings(1, 0));

    assertThat(upstream.frames()).containsExactly("SETTINGS ACK", "HEADERS 3");
    assertThat(upstream.request().path()).hasToString("/waymark.v1.Upstream/Attach");
  }

  @Test
  void request_noStreamAllowed_waitsUntilOneIs() throws Exception {
    upstream.reach(State.WAITING);
    assertThat(upstream.stream.isWritable()).isFalse();

    upstream.sends(settings(MAX_CONCURRENT_STREAMS, 1));

    assertThat(upstream.frames()).containsExactly("SETTINGS ACK", "HEADERS 3");
    assertThat(upstream.events()).containsExactly("writable");
  }

  @Test
  void request_neverAllowed_endsWithTheReason() throws Exception {
    upstream.reach(State.WAITING);

    upstream.disconnects();

    assertThat(upstream.events())
        .containsExactly("end UNAVAILABLE: allows no stream: SETTINGS_MAX_CONCURRENT_STREAMS is 0");
  }

  @Test
  void request_largerThanAllowed_endsTheCall() throws Exception {
    upstream.reach(State.CONNECTED);

    upstream.sends(settings(6, 100));

    assertThat(upstream.events())
        .singleElement()
        .asString()
        .startsWith("end INTERNAL: cannot send the request: ")
        .contains("Header size exceeded max allowed size (100)");
    assertThat(upstream.frames()).containsExactly("SETTINGS ACK", "GOAWAY NO_ERROR");
    assertThat(upstream.isOpen()).isFalse();
  }

  @Test
  void goAway_thatSparesTheStream_isTold() throws Exception {
    upstream.reach(State.OPEN);

    upstream.sends(goAway(0, Integer.MAX_VALUE, Http2Error.NO_ERROR, "max_age"));

    assertThat(upstream.goAways()).isEqualTo(1);
    assertThat(upstream.stream.isWritable()).isTrue();
  }

  @Test
  void request_goAwayInTheSameSegment_ends() throws Exception {
    upstream.reach(State.CONNECTED);

    upstream.sends(settings(), goAway(0, 0, Http2Error.NO_ERROR, "full"));

    assertThat(upstream.events())
        .containsExactly("writable", "end UNAVAILABLE: GOAWAY NO_ERROR: full");
  }

  @Test
  void response_byteByByte_isRead() throws Exception {
    upstream.reach(State.CONNECTED);

    upstream.sendsByteByByte(settings(MAX_CONCURRENT_STREAMS, 1));
    upstream.sendsByteByByte(response());
    upstream.sendsByteByByte(data(STREAM, "ab"));
    upstream.sendsByteByByte(trailers(STREAM, "grpc-status", "0"));

    assertThat(upstream.data()).isEqualTo("ab");
    assertThat(upstream.events()).containsExactly("writable", "accepted", "end OK: null");
  }

  // --- sending ---

  @Test
  void send_writesData() throws Exception {
    upstream.reach(State.CALLED);

    upstream.stream.send(upstream.message(5));

    assertThat(upstream.frames()).containsExactly("DATA 5");
  }

  @Test
  void send_windowOfZeroThenOne_goesOutByteByByte() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.sends(settings(INITIAL_WINDOW_SIZE, 0));
    upstream.frames();

    upstream.stream.send(upstream.message(3));
    assertThat(upstream.frames()).isEmpty();

    for (int i = 0; i < 3; i++) {
      upstream.sends(windowUpdate(STREAM, 1));
      assertThat(upstream.frames()).containsExactly("DATA 1");
    }
    upstream.sends(windowUpdate(STREAM, 1));
    assertThat(upstream.frames()).isEmpty();
  }

  @Test
  void send_windowOfTheStream_isObeyed() throws Exception {
    upstream.reach(State.CALLED);
    upstream.sends(windowUpdate(0, WINDOW_BYTES));

    upstream.stream.send(upstream.message(DEFAULT_WINDOW_BYTES + 10));
    assertThat(upstream.dataBytes()).isEqualTo(DEFAULT_WINDOW_BYTES);

    upstream.sends(windowUpdate(STREAM, 100));
    assertThat(upstream.frames()).containsExactly("DATA 10");
  }

  @Test
  void send_windowOfTheConnection_isObeyed() throws Exception {
    upstream.reach(State.CALLED);
    upstream.sends(windowUpdate(STREAM, WINDOW_BYTES));

    upstream.stream.send(upstream.message(DEFAULT_WINDOW_BYTES + 10));
    assertThat(upstream.dataBytes()).isEqualTo(DEFAULT_WINDOW_BYTES);

    upstream.sends(windowUpdate(0, 100));
    assertThat(upstream.frames()).containsExactly("DATA 10");
  }

  @Test
  void send_windowBecomesNegative_waitsUntilItIsPositive() throws Exception {
    upstream.reach(State.CALLED);
    upstream.stream.send(upstream.message(100));
    upstream.sends(settings(INITIAL_WINDOW_SIZE, 50));
    upstream.frames();

    upstream.stream.send(upstream.message(1));
    upstream.sends(windowUpdate(STREAM, 50));
    assertThat(upstream.frames()).isEmpty();

    upstream.sends(windowUpdate(STREAM, 1));
    assertThat(upstream.frames()).containsExactly("DATA 1");
  }

  @Test
  void send_largerThanAFrame_isCutAsTheUpstreamAllows() throws Exception {
    upstream.reach(State.CALLED);

    upstream.stream.send(upstream.message(20_000));
    assertThat(upstream.frames()).containsExactly("DATA 16384", "DATA 3616");

    upstream.sends(settings(MAX_FRAME_SIZE, 20_000));
    upstream.frames();
    upstream.stream.send(upstream.message(20_001));
    assertThat(upstream.frames()).containsExactly("DATA 20000", "DATA 1");

    upstream.sends(settings(MAX_FRAME_SIZE, 16_384));
    upstream.frames();
    upstream.stream.send(upstream.message(16_385));
    assertThat(upstream.frames()).containsExactly("DATA 16384", "DATA 1");
  }

  @Test
  void queue_full_isWritableOnceThereIsRoom() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.sends(settings(INITIAL_WINDOW_SIZE, 0));
    upstream.events();

    upstream.stream.send(upstream.message(QUEUE_BYTES_MAX - 1));
    assertThat(upstream.stream.isWritable()).isTrue();
    upstream.stream.send(upstream.message(1));
    assertThat(upstream.stream.isWritable()).isFalse();

    // The first message must leave as a whole to count.
    upstream.sends(windowUpdate(STREAM, QUEUE_BYTES_MAX - 2));
    assertThat(upstream.events()).isEmpty();
    upstream.sends(windowUpdate(STREAM, 1));
    assertThat(upstream.events()).containsExactly("writable");
    assertThat(upstream.stream.isWritable()).isTrue();
  }

  @Test
  void queue_socketFull_isWritableOnceThereIsRoom() throws Exception {
    upstream.reach(State.CALLED);
    upstream.stopsReading();

    upstream.stream.send(upstream.message(QUEUE_BYTES_MAX));
    assertThat(upstream.stream.isWritable()).isFalse();

    upstream.readsAgain();
    assertThat(upstream.events()).containsExactly("writable");
    assertThat(upstream.stream.isWritable()).isTrue();
  }

  @Test
  void queue_filledAgainByOnWritable_reportsEachTimeThereIsRoom() throws Exception {
    upstream.reach(State.CALLED);
    upstream.onWritableDo(() -> upstream.stream.send(upstream.message(QUEUE_BYTES_MAX)));
    upstream.stopsReading();
    upstream.stream.send(upstream.message(QUEUE_BYTES_MAX));

    upstream.readsAgain();

    assertThat(upstream.events()).startsWith("writable");
    assertThat(upstream.dataBytes()).isGreaterThanOrEqualTo(2 * QUEUE_BYTES_MAX);
    upstream.onWritableDo(() -> {});
  }

  @Test
  void queue_callFails_isNotWritableAgain() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.sends(settings(INITIAL_WINDOW_SIZE, 0), response());
    upstream.stream.send(upstream.message(QUEUE_BYTES_MAX));
    upstream.events();

    upstream.sends(response());

    assertThat(upstream.events()).singleElement().asString().startsWith("end INTERNAL");
  }

  @Test
  void send_afterTheEnd_isReleased() throws Exception {
    upstream.reach(State.OPEN);
    upstream.sends(trailers(STREAM, "grpc-status", "0"));
    upstream.frames();

    var message = upstream.message(5);
    upstream.stream.send(message);

    assertThat(message.refCnt()).isZero();
    assertThat(upstream.frames()).isEmpty();
  }

  @Test
  void send_afterHalfClose_isReleased() throws Exception {
    upstream.reach(State.HALF_CLOSED);

    var message = upstream.message(5);
    upstream.stream.send(message);

    assertThat(message.refCnt()).isZero();
    assertThat(upstream.frames()).isEmpty();
    upstream.expectLife(State.HALF_CLOSED);
  }

  // --- the bridge ends ---

  @Test
  void halfClose_endsTheStreamOnce() throws Exception {
    upstream.reach(State.OPEN);

    upstream.stream.halfClose();
    upstream.stream.halfClose();

    assertThat(upstream.frames()).containsExactly("DATA 0 END_STREAM");
    upstream.expectLife(State.HALF_CLOSED);
  }

  @Test
  void halfClose_messagesWaiting_followsThem() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.sends(settings(INITIAL_WINDOW_SIZE, 0));
    upstream.frames();
    upstream.stream.send(upstream.message(2));

    upstream.stream.halfClose();
    assertThat(upstream.frames()).isEmpty();

    upstream.sends(windowUpdate(STREAM, 2));
    assertThat(upstream.frames()).containsExactly("DATA 2 END_STREAM");
  }

  @Test
  void cancel_resetsTheStreamAndCloses() throws Exception {
    upstream.reach(State.OPEN);

    upstream.stream.cancel();
    upstream.stream.cancel();
    upstream.runTasks();

    assertThat(upstream.frames()).containsExactly(CANCELLED);
    assertThat(upstream.isOpen()).isFalse();
    assertThat(upstream.events()).isEmpty();
  }

  @Test
  void cancel_messagesWaiting_dropsThem() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.sends(settings(INITIAL_WINDOW_SIZE, 1));
    upstream.frames();
    upstream.events();
    upstream.stream.send(upstream.message(QUEUE_BYTES_MAX));
    upstream.stream.halfClose();

    upstream.stream.cancel();
    upstream.runTasks();

    assertThat(upstream.frames())
        .containsExactly("DATA 1", "RST_STREAM 3 CANCEL", "GOAWAY NO_ERROR");
    assertThat(upstream.isOpen()).isFalse();
    assertThat(upstream.events()).isEmpty();
  }

  @Test
  void cancel_beforeTheCall_closes() throws Exception {
    upstream.reach(State.WAITING);

    upstream.stream.cancel();
    upstream.runTasks();

    assertThat(upstream.frames()).containsExactly(CLOSED);
    assertThat(upstream.isOpen()).isFalse();
  }

  @Test
  void cancel_upstreamDoesNotRead_closesAnyway() throws Exception {
    upstream.reach(State.OPEN);
    upstream.stopsReading();

    upstream.stream.cancel();
    upstream.runTasks();
    assertThat(upstream.isOpen()).isTrue();

    upstream.passCloseTimeout();
    assertThat(upstream.isOpen()).isFalse();
    assertThat(upstream.events()).isEmpty();
  }

  @Test
  void connectionError_upstreamDoesNotRead_closesAnyway() throws Exception {
    upstream.reach(State.OPEN);
    upstream.stopsReading();
    upstream.stream.send(upstream.message(QUEUE_BYTES_MAX));

    upstream.sends(windowUpdate(0, 0));
    assertThat(upstream.events()).singleElement().asString().startsWith("end INTERNAL");
    assertThat(upstream.isOpen()).isTrue();

    upstream.passCloseTimeout();
    assertThat(upstream.isOpen()).isFalse();
    assertThat(upstream.events()).isEmpty();
  }

  // --- the connection ends ---

  @Test
  void connection_closed_endsTheCall() throws Exception {
    upstream.reach(State.OPEN);

    upstream.disconnects();

    assertThat(upstream.events()).containsExactly("end UNAVAILABLE: connection closed");
  }

  @Test
  void connection_closedWithinAFrame_endsTheCall() throws Exception {
    upstream.reach(State.OPEN);
    upstream.sends(Arrays.copyOf(data(STREAM, 100), 50));

    upstream.disconnects();

    assertThat(upstream.events()).containsExactly("end UNAVAILABLE: connection closed");
    assertThat(upstream.data()).isEmpty();
  }

  @Test
  void connection_closedAfterGoAway_endsTheCallWithItsReason() throws Exception {
    upstream.reach(State.OPEN);
    upstream.sends(goAway(0, STREAM, Http2Error.NO_ERROR, "max_age"));

    upstream.disconnects();

    assertThat(upstream.events()).containsExactly("end UNAVAILABLE: GOAWAY NO_ERROR: max_age");
  }

  @Test
  void connection_closedAfterTwoGoAways_endsTheCallWithTheLastReason() throws Exception {
    upstream.reach(State.OPEN);
    upstream.sends(
        goAway(0, Integer.MAX_VALUE, Http2Error.NO_ERROR, ""),
        goAway(0, STREAM, Http2Error.ENHANCE_YOUR_CALM, "too_many_pings"));

    upstream.disconnects();

    assertThat(upstream.events())
        .containsExactly("end UNAVAILABLE: GOAWAY ENHANCE_YOUR_CALM: too_many_pings");
  }

  @Test
  void connection_messagesWaiting_dropsThem() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.sends(settings(INITIAL_WINDOW_SIZE, 1), response());
    upstream.stream.send(upstream.message(QUEUE_BYTES_MAX));
    upstream.events();

    upstream.disconnects();

    assertThat(upstream.events()).containsExactly("end UNAVAILABLE: connection closed");
  }

  @Test
  void write_failing_endsTheCallWithTheSocketsMessage() throws Exception {
    upstream.reach(State.OPEN);
    upstream.resets();

    upstream.stream.send(upstream.message(10));

    assertThat(upstream.events())
        .containsExactly("end UNAVAILABLE: connection lost: Connection reset by peer");
  }

  @Test
  void request_failing_endsTheCallAndNothingElse() throws Exception {
    upstream.reach(State.CONNECTED);
    upstream.resets();

    upstream.sends(settings());

    assertThat(upstream.events())
        .containsExactly("end UNAVAILABLE: connection lost: Connection reset by peer");
  }

  /** Upstreams send SETTINGS at once, and io_uring tells late that a write has failed. */
  @Test
  void preface_failingAfterTheCallHasBegun_endsTheCall() throws Exception {
    ScriptedUpstream late = ScriptedUpstream.notReading();
    late.sends(settings());
    assertThat(late.events()).containsExactly("writable");

    late.resetsWhatWaits();

    assertThat(late.events())
        .containsExactly("end UNAVAILABLE: connection lost: Connection reset by peer");
    late.end();
  }

  @Test
  void write_failingAfterGoAway_endsTheCallWithWhatTheUpstreamSaid() throws Exception {
    upstream.reach(State.OPEN);
    upstream.sends(goAway(0, Integer.MAX_VALUE, Http2Error.NO_ERROR, "max_age"));
    upstream.resets();

    upstream.stream.send(upstream.message(10));

    assertThat(upstream.events()).containsExactly("end UNAVAILABLE: GOAWAY NO_ERROR: max_age");
  }

  @Test
  void connection_lost_endsTheCallWithTheReason() throws Exception {
    upstream.reach(State.OPEN);

    upstream.fails(new IOException("Connection reset by peer"));

    assertThat(upstream.events())
        .containsExactly("end UNAVAILABLE: connection lost: Connection reset by peer");
    assertThat(upstream.isOpen()).isFalse();
  }

  @Test
  void connection_handlerFails_endsTheCallWithTheReason() throws Exception {
    upstream.reach(State.OPEN);

    upstream.fails(new IllegalStateException("a defect"));

    assertThat(upstream.events()).singleElement().asString().contains("a defect");
    assertThat(upstream.isOpen()).isFalse();
  }

  // --- the window of the bridge ---

  @Test
  void window_halfTaken_isReturnedForStreamAndConnection() throws Exception {
    upstream.reach(State.OPEN);
    upstream.sends(settingsAck());
    int framesOfHalf = WINDOW_BYTES / 2 / FRAME_BYTES_MAX;

    upstream.sends(Collections.nCopies(framesOfHalf - 1, data(STREAM, FRAME_BYTES_MAX)));
    assertThat(upstream.frames()).isEmpty();

    upstream.sends(data(STREAM, FRAME_BYTES_MAX));
    assertThat(upstream.frames())
        .containsExactlyInAnyOrder(
            "WINDOW_UPDATE 0 +" + WINDOW_BYTES / 2, "WINDOW_UPDATE 3 +" + WINDOW_BYTES / 2);
  }

  @Test
  void window_ofPadding_isReturnedToo() throws Exception {
    upstream.reach(State.OPEN);
    upstream.sends(settingsAck());
    byte[] padding = padded(Http2FrameTypes.DATA, 0, 255, new byte[0]);

    upstream.sends(Collections.nCopies(WINDOW_BYTES / 2 / 256, padding));

    assertThat(upstream.frames())
        .containsExactlyInAnyOrder(
            "WINDOW_UPDATE 0 +" + WINDOW_BYTES / 2, "WINDOW_UPDATE 3 +" + WINDOW_BYTES / 2);
  }
}
