package dev.waymark.engine;

import dev.waymark.engine.ReplyStream.HeldCommit;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.UpstreamControl.Released;
import dev.waymark.protocol.UpstreamFrame;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the owner of one connection says: its frames are checked, held until their commit is whole,
 * and take effect together (rules 3, 4 and 8). Confined to its shard's thread.
 */
final class Commits {
  private final Connection connection;
  private final ReplyDirection replies;

  Commits(Connection connection, ReplyDirection replies) {
    this.connection = connection;
    this.replies = replies;
  }

  /** A frame for this connection came on this lane. */
  void onFrame(long nowNs, Lane from, UpstreamFrame frame) {
    int bytes = frame.payload().readableBytes();
    if (!isLate(from, frame) && !from.isAcknowledging()) {
      // The socket may take all, and with that the connection end.
      replies.makeRoomFor(bytes);
    }
    if (isLate(from, frame)) {
      from.counters().add(Counter.FRAMES_FENCED, 1);
      return;
    }
    CloseReason breach = replies.breachOf(from, frame, connection.client().stream().sentOffset());
    if (breach != null) {
      onBreach(nowNs, frame, breach);
      return;
    }
    replies.stream().receive(bytes);
    connection.onSign(nowNs);
    apply(nowNs, frame, bytes);
    if (replies.stream().queuedBytes() > 0) {
      connection.progress().pause(nowNs);
    }
    if (frame.control() instanceof Released && connection.lane() != null) {
      connection.change().onReleased(nowNs);
    }
  }

  private boolean isLate(Lane from, UpstreamFrame frame) {
    return from != connection.lane()
        || Integer.compareUnsigned(frame.epoch(), connection.epoch()) < 0;
  }

  private void onBreach(long nowNs, UpstreamFrame frame, CloseReason breach) {
    boolean isClose = !frame.more() && (frame.close() != 0 || replies.stream().isHoldingClose());
    if (isClose) {
      // Never answered (rule 8).
      connection.end().endWithoutTelling(nowNs, breach, Origin.UPSTREAM);
    } else {
      connection.end().endByBridge(nowNs, breach, Origin.UPSTREAM);
    }
  }

  private void apply(long nowNs, UpstreamFrame frame, int bytes) {
    if (frame.more() || replies.stream().isHolding()) {
      hold(nowNs, frame);
      return;
    }
    if (bytes > 0) {
      replies.deliver(frame.payload().retainedSlice());
    }
    long consumedOffset = connection.client().stream().consumedOffset();
    boolean isServing = bytes > 0 || frame.consumed() > consumedOffset || frame.halfClose();
    if (isServing && frame.close() == 0) {
      serve(nowNs);
    }
    commit(nowNs, frame.consumed(), frame.context(), frame.halfClose(), frame.close());
  }

  /** The client gets something, or its bytes are dealt with: it waits no longer. */
  private void serve(long nowNs) {
    connection.progress().onServed(connection.shard().elapsedNs(nowNs));
    connection.change().endPause(nowNs);
  }

  private void hold(long nowNs, UpstreamFrame frame) {
    HeldCommit whole = replies.hold(nowNs, frame);
    if (whole == null) {
      connection.armDeadline(nowNs);
      return;
    }
    if (whole.close() == 0) {
      serve(nowNs);
    }
    whole.payloads().forEach(replies::deliver);
    commit(nowNs, whole.consumed(), whole.context(), whole.isHalfClose(), whole.close());
  }

  /** All that one commit says takes effect at once (rule 3). */
  private void commit(
      long nowNs, long consumed, byte @Nullable [] context, boolean isHalfClose, int close) {
    Lane owner = Objects.requireNonNull(connection.lane());
    boolean isConsuming = consumed != UpstreamFrame.ABSENT;
    if (context != null) {
      replies.context(context);
    }
    if (isConsuming || owner.isNeverAcknowledging()) {
      replies.endReply();
    }
    // Said again it changes nothing: an owner answers the client's end whoever ended the replies.
    if (isHalfClose && !replies.stream().isEnded()) {
      replies.end();
      connection.end().onDirectionEnded(Origin.UPSTREAM);
      if (close == 0) {
        connection.socket().finish();
      }
    }
    if (isConsuming) {
      consume(nowNs, consumed, close == 0);
    }
    if (close != 0) {
      onClose(nowNs, CloseReason.saidByUpstream(close));
      return;
    }
    if (isConsuming && !connection.client().stream().isEmpty()) {
      connection.pump(nowNs);
    } else if (replies.isQueueLong(owner)) {
      connection.client().updateReading();
    }
    connection.end().endIfDone(nowNs);
  }

  private void consume(long nowNs, long consumed, boolean isAnswer) {
    ClientDirection client = connection.client();
    if (isAnswer) {
      connection.ownership().onAnswer();
    }
    if (consumed > client.stream().consumedOffset()) {
      if (connection.ownership().hasLostAlone()) {
        connection.pool().onDoubt();
      }
      if (connection.ownership().onProgress()) {
        connection.pool().onCleared(connection);
      }
      connection.progress().onProgress(nowNs);
      client.extendBreach(nowNs);
    }
    boolean wasSent = client.stream().consume(consumed);
    Check.that(wasSent, "consumed was checked when it came");
  }

  private void onClose(long nowNs, CloseReason reason) {
    if (reason.isRefusal()) {
      connection.change().onRefused(nowNs, reason);
    } else {
      connection.end().endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
    }
  }
}
