package dev.waymark.upstream;

import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.upstream.PushAnswer.Outcome;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The lanes of an upstream, grouped by bridge, for pushes. Thread-safe. */
final class BridgeLinks {
  private final @Nullable AnnouncementListener listener;
  private final AtomicLong lastNumber = new AtomicLong();
  private final ConcurrentHashMap<Long, List<BridgeLink>> byInstance = new ConcurrentHashMap<>();

  /**
   * @param listener gets announcements; null if none are wanted
   */
  BridgeLinks(@Nullable AnnouncementListener listener) {
    this.listener = listener;
  }

  boolean wantsAnnouncements() {
    return listener != null;
  }

  /** Creates the link of a new lane. */
  BridgeLink newLink(ServerLane lane) {
    return new BridgeLink(this, lane, lastNumber.incrementAndGet(), listener);
  }

  void add(BridgeLink link, Hello hello) {
    byInstance.compute(
        hello.instance(),
        (instance, known) -> {
          List<BridgeLink> links = known == null ? new CopyOnWriteArrayList<>() : known;
          links.add(link);
          return links;
        });
  }

  void remove(BridgeLink link, Hello hello) {
    byInstance.computeIfPresent(
        hello.instance(),
        (instance, links) -> {
          links.remove(link);
          return links.isEmpty() ? null : links;
        });
  }

  /**
   * Sends bytes to the bridge named by the mark, preferably on a lane of the connection's shard.
   *
   * @param owned one reference passes to this method
   * @throws IllegalArgumentException if there are more bytes than a payload may have
   */
  CompletionStage<PushAnswer> push(String mark, ByteBuf owned, long epochOrAbsent) {
    if (owned.readableBytes() > SizeLimits.PAYLOAD_BYTES_MAX) {
      int bytes = owned.readableBytes();
      owned.release();
      throw new IllegalArgumentException(
          "a push of " + bytes + " bytes; the maximum is " + SizeLimits.PAYLOAD_BYTES_MAX);
    }
    if (!Mark.isMark(mark)) {
      return notSent(owned, Outcome.NEVER_EXISTED);
    }
    Mark parsed = Mark.parse(mark);
    List<BridgeLink> links = byInstance.getOrDefault(parsed.instance(), List.of());
    return links.stream()
        .filter(link -> link.servesShardOf(parsed.sequence()))
        .findFirst()
        .or(() -> links.stream().findFirst())
        .<CompletionStage<PushAnswer>>map(link -> link.push(mark, owned, epochOrAbsent))
        .orElseGet(() -> notSent(owned, Outcome.NO_LANE));
  }

  private static CompletionStage<PushAnswer> notSent(ByteBuf owned, Outcome outcome) {
    owned.release();
    return CompletableFuture.completedFuture(PushAnswer.of(outcome));
  }
}
