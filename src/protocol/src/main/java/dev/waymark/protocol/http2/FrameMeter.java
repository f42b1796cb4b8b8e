package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.concurrent.Ticker;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Detects floods: counts the frames from a peer that carry no data. Reads the clock only when a
 * limit is reached. Confined to the event loop of its channel.
 *
 * <p>PING and WINDOW_UPDATE follow data: most HTTP/2 stacks answer each DATA frame with a PING, to
 * measure the round trip, and a WINDOW_UPDATE, to return credit. So each DATA frame, in either
 * direction, allows {@link #FOLLOWERS_PER_DATA} of them that are not counted.
 */
final class FrameMeter {
  /** The role of the peer. */
  enum Peer {
    /** Sends the connection preface first, and may send any number of requests. */
    CLIENT("the client"),
    SERVER("the upstream");

    final String text;

    Peer(String text) {
      this.text = text;
    }
  }

  /**
   * How many frames without data a peer may send within {@link #WINDOW_NS}. Real peers send a few
   * dozen, apart from those that follow data.
   */
  static final int FRAMES_MAX = 1_000;

  /** How many bytes these frames may have in the same time. */
  static final int BYTES_MAX = 256 * 1024;

  /** How many empty DATA frames in a row a peer may send in the same time. */
  static final int EMPTY_DATA_MAX = 1_000;

  static final long WINDOW_NS = TimeUnit.SECONDS.toNanos(1);

  /** WINDOW_UPDATE for the stream and for the connection, a PING, and the answer to our PING. */
  static final int FOLLOWERS_PER_DATA = 4;

  /** The size of a gRPC message prefix. DATA with less content counts as empty. */
  private static final int DATA_BYTES_MIN = 5;

  private final Peer peer;
  private final Ticker ticker;

  private final FrameHeaderReader headers;

  private int frames;
  private int bytes;
  private int emptyData;
  private int followersAllowed;
  private long sinceNs;
  private boolean isLeaving;

  FrameMeter(Peer peer, Ticker ticker) {
    this.peer = peer;
    this.ticker = ticker;
    this.headers = FrameHeaderReader.received(peer == Peer.CLIENT);
    this.sinceNs = ticker.nanoTime();
  }

  /** Called when a DATA frame was sent to the peer. */
  void onDataSent() {
    allowFollowers();
  }

  /**
   * Called with bytes from the peer, which are not consumed.
   *
   * @return a description of the flood, or null if there is none
   */
  @Nullable String onBytes(ByteBuf received) {
    headers.begin(received);
    while (headers.next()) {
      onFrame();
      if (isFlood()) {
        return flood();
      }
    }
    return null;
  }

  /** Whether the peer has sent GOAWAY. */
  boolean isLeaving() {
    return isLeaving;
  }

  private void onFrame() {
    switch (headers.type()) {
      case Http2FrameTypes.DATA -> onData();
      case Http2FrameTypes.PING, Http2FrameTypes.WINDOW_UPDATE -> onFollower();
      case Http2FrameTypes.HEADERS -> count(peer == Peer.SERVER ? 1 : 0);
      case Http2FrameTypes.GO_AWAY -> {
        isLeaving = true;
        count(1);
      }
      default -> count(1);
    }
  }

  private void onData() {
    if (headers.contentBytes() >= DATA_BYTES_MIN) {
      allowFollowers();
      emptyData = 0;
    } else if (!headers.isEndOfStream()) {
      emptyData++;
    }
  }

  private void allowFollowers() {
    followersAllowed = Math.min(FRAMES_MAX, followersAllowed + FOLLOWERS_PER_DATA);
  }

  private void onFollower() {
    if (followersAllowed > 0) {
      followersAllowed--;
    } else {
      count(1);
    }
  }

  /**
   * The bytes of a client's headers are not counted: requests may have headers as large as gRPC
   * accepts.
   */
  private void count(int newFrames) {
    frames += newFrames;
    boolean isRequest =
        peer == Peer.CLIENT
            && (headers.type() == Http2FrameTypes.HEADERS
                || headers.type() == Http2FrameTypes.CONTINUATION);
    bytes += isRequest ? 0 : headers.payloadBytes();
  }

  private boolean isFlood() {
    boolean isWithinLimits =
        frames <= FRAMES_MAX && bytes <= BYTES_MAX && emptyData <= EMPTY_DATA_MAX;
    if (isWithinLimits) {
      return false;
    }
    long nowNs = ticker.nanoTime();
    if (nowNs - sinceNs < WINDOW_NS) {
      return true;
    }
    sinceNs = nowNs;
    frames = 0;
    bytes = 0;
    emptyData = 0;
    return false;
  }

  private String flood() {
    String what =
        emptyData > EMPTY_DATA_MAX
            ? "more than " + EMPTY_DATA_MAX + " empty DATA frames in a row"
            : frames > FRAMES_MAX
                ? "more than " + FRAMES_MAX + " control frames"
                : "more than " + BYTES_MAX / 1024 + " KiB of control frames";
    return "HTTP/2 flood: "
        + peer.text
        + " sent "
        + what
        + " within a second, the last of type "
        + typeName();
  }

  private String typeName() {
    return switch (headers.type()) {
      case Http2FrameTypes.DATA -> "DATA";
      case Http2FrameTypes.HEADERS -> "HEADERS";
      case Http2FrameTypes.PRIORITY -> "PRIORITY";
      case Http2FrameTypes.RST_STREAM -> "RST_STREAM";
      case Http2FrameTypes.SETTINGS -> "SETTINGS";
      case Http2FrameTypes.PUSH_PROMISE -> "PUSH_PROMISE";
      case Http2FrameTypes.PING -> "PING";
      case Http2FrameTypes.GO_AWAY -> "GOAWAY";
      case Http2FrameTypes.WINDOW_UPDATE -> "WINDOW_UPDATE";
      case Http2FrameTypes.CONTINUATION -> "CONTINUATION";
      default -> "0x" + Integer.toHexString(headers.type() & 0xff);
    };
  }
}
