package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.concurrent.Ticker;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Detects floods: walks over the frames that a peer sends and counts those that carry no data.
 * Reads the clock only when a limit is reached. Confined to the event loop of its channel.
 *
 * <p>PING and WINDOW_UPDATE follow data: most HTTP/2 stacks measure the round trip with a PING for
 * each DATA frame that they get, and return credit with a WINDOW_UPDATE. So each DATA frame, in
 * either direction, allows {@link #FOLLOWERS_PER_DATA} of them, which are not counted.
 */
final class FrameMeter {
  /** The role of the peer. */
  enum Peer {
    /** Its first bytes are the connection preface, and it may send any number of requests. */
    CLIENT("the client"),
    SERVER("the upstream");

    final String text;

    Peer(String text) {
      this.text = text;
    }
  }

  /**
   * How many frames without data a peer may send within {@link #WINDOW_NS}. Real peers send some
   * dozens, besides those that follow data.
   */
  static final int FRAMES_MAX = 1_000;

  /** How many bytes of these frames, within the same time. */
  static final int BYTES_MAX = 256 * 1024;

  /** How many empty DATA frames in a row, within the same time. */
  static final int EMPTY_DATA_MAX = 1_000;

  static final long WINDOW_NS = TimeUnit.SECONDS.toNanos(1);

  /** The stream's and the connection's WINDOW_UPDATE, a PING, and the answer to one. */
  static final int FOLLOWERS_PER_DATA = 4;

  /** The prefix of a gRPC message. DATA with less counts as empty. */
  private static final int DATA_BYTES_MIN = 5;

  private final Peer peer;
  private final Ticker ticker;

  private final FrameHeads heads;

  private int frames;
  private int bytes;
  private int emptyData;
  private int followersAllowed;
  private long sinceNs;

  FrameMeter(Peer peer, Ticker ticker) {
    this.peer = peer;
    this.ticker = ticker;
    this.heads = FrameHeads.received(peer == Peer.CLIENT);
    this.sinceNs = ticker.nanoTime();
  }

  /** A DATA frame was sent to the peer. */
  void onDataSent() {
    allowFollowers();
  }

  /**
   * Bytes came from the peer; they are not consumed.
   *
   * @return what the peer did wrong, or null
   */
  @Nullable String onBytes(ByteBuf received) {
    heads.begin(received);
    while (heads.next()) {
      onFrame();
      if (isFlood()) {
        return flood();
      }
    }
    return null;
  }

  private void onFrame() {
    switch (heads.type()) {
      case Http2FrameTypes.DATA -> onData();
      case Http2FrameTypes.PING, Http2FrameTypes.WINDOW_UPDATE -> onFollower();
      case Http2FrameTypes.HEADERS -> count(peer == Peer.SERVER ? 1 : 0);
      default -> count(1);
    }
  }

  private void onData() {
    if (heads.contentBytes() >= DATA_BYTES_MIN) {
      allowFollowers();
      emptyData = 0;
    } else if (!heads.isEndOfStream()) {
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

  /** A client's requests may have headers as large as gRPC accepts. */
  private void count(int newFrames) {
    frames += newFrames;
    boolean isRequest =
        peer == Peer.CLIENT
            && (heads.type() == Http2FrameTypes.HEADERS
                || heads.type() == Http2FrameTypes.CONTINUATION);
    bytes += isRequest ? 0 : heads.payloadBytes();
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
    return switch (heads.type()) {
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
      default -> "0x" + Integer.toHexString(heads.type() & 0xff);
    };
  }
}
