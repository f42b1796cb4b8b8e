package dev.waymark.upstream;

import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Mark;
import dev.waymark.upstream.PushAnswer.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.util.collection.LongObjectHashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of a lane that does not belong to its attachments: pushes and announcements. {@link
 * #push} and {@link #servesShardOf} may be called from any thread; everything else runs inside the
 * lane.
 */
final class BridgeLink {
  /** How many pushed bytes may be unanswered; further pushes are TOO_MANY. */
  static final long UNANSWERED_BYTES_MAX = 4L * 1024 * 1024;

  /** What each push costs in addition to its bytes. */
  private static final int PUSH_BYTES = 256;

  private static final Logger log = LoggerFactory.getLogger(BridgeLink.class);

  private record Unanswered(CompletableFuture<PushAnswer> answer, long bytes) {}

  private final BridgeLinks registry;
  private final ServerLane lane;
  private final long number;
  private final @Nullable AnnouncementListener listener;
  private final AtomicLong unansweredBytes = new AtomicLong();
  private final LongObjectHashMap<Unanswered> unanswered = new LongObjectHashMap<>();
  private volatile @Nullable AnnouncingLane self;
  private boolean isEnded;
  private long lastId;

  BridgeLink(
      BridgeLinks registry, ServerLane lane, long number, @Nullable AnnouncementListener listener) {
    this.registry = registry;
    this.lane = lane;
    this.number = number;
    this.listener = listener;
  }

  // --- inputs, any thread ---

  /**
   * Sends a push.
   *
   * @param owned one reference passes to this method
   * @param epochOrAbsent the only epoch in which the bytes may be written, or absent
   */
  CompletableFuture<PushAnswer> push(String mark, ByteBuf owned, long epochOrAbsent) {
    CompletableFuture<PushAnswer> answer = new CompletableFuture<>();
    Unanswered push = new Unanswered(answer, owned.readableBytes() + PUSH_BYTES);
    if (unansweredBytes.addAndGet(push.bytes) > UNANSWERED_BYTES_MAX) {
      owned.release();
      complete(push, PushAnswer.of(Outcome.TOO_MANY));
    } else {
      lane.execute(() -> send(push, mark, owned, epochOrAbsent));
    }
    return answer;
  }

  // --- inputs, inside the lane ---

  void onHello(Hello hello) {
    self = new AnnouncingLane(number, hello);
    registry.add(this, hello);
  }

  void onPushResult(BridgeControl.PushResult result) {
    Unanswered push = unanswered.remove(result.id());
    if (push != null) {
      complete(push, PushAnswer.of(result));
    }
  }

  /** Called with an announcement about the connection with this sequence, or about all. */
  void onAnnouncement(long sequence, BridgeControl announcement) {
    AnnouncingLane known = self;
    if (known == null || listener == null) {
      return;
    }
    try {
      dispatch(listener, known, sequence, announcement);
    } catch (RuntimeException exception) {
      log.warn(
          "a listener threw an exception, announcement of bridge {}",
          known.bridge().node(),
          exception);
    }
  }

  /** Called when the lane has ended. */
  void onEnd() {
    if (isEnded) {
      return;
    }
    isEnded = true;
    AnnouncingLane known = self;
    if (known != null) {
      registry.remove(this, known.bridge());
      onAnnouncement(0, new BridgeControl.Syncing());
    }
    List<Unanswered> lost = List.copyOf(unanswered.values());
    unanswered.clear();
    lost.forEach(push -> complete(push, PushAnswer.of(Outcome.UNKNOWN)));
  }

  // --- outputs ---

  /** Whether the connection with this sequence is on this lane's shard. */
  boolean servesShardOf(long sequence) {
    AnnouncingLane known = self;
    return known != null
        && known.bridge().shards() > 0
        && sequence % known.bridge().shards() == known.bridge().shard();
  }

  private void send(Unanswered push, String mark, ByteBuf owned, long epochOrAbsent) {
    try {
      if (isEnded) {
        complete(push, PushAnswer.of(Outcome.NO_LANE));
      } else {
        unanswered.put(++lastId, push);
        lane.push(lastId, mark, owned, epochOrAbsent);
      }
    } finally {
      owned.release();
    }
  }

  private void complete(Unanswered push, PushAnswer answer) {
    unansweredBytes.addAndGet(-push.bytes);
    push.answer.complete(answer);
  }

  private static void dispatch(
      AnnouncementListener listener,
      AnnouncingLane self,
      long sequence,
      BridgeControl announcement) {
    if (announcement instanceof BridgeControl.Opened opened) {
      listener.onOpened(self, opened.mark(), opened.listener(), opened.clientAddress());
    } else if (announcement instanceof BridgeControl.Closed closed) {
      Mark mark = new Mark(self.bridge().instance(), sequence);
      listener.onClosed(self, mark.toString(), closed.reason());
    } else if (announcement instanceof BridgeControl.Syncing) {
      listener.onForget(self);
    } else if (announcement instanceof BridgeControl.Synced) {
      listener.onSynced(self);
    }
  }
}
