package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import dev.waymark.upstream.AnnouncementListener;
import dev.waymark.upstream.AnnouncingLane;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The announced connections that still exist. Thread-safe. */
public final class AnnouncedMarks implements AnnouncementListener {
  /** One connection. */
  public record Announced(String mark, String listener, String client) {}

  private record LaneMarks(Map<String, Announced> byMark, boolean isSynced) {}

  private final Map<Long, LaneMarks> byLane = new ConcurrentHashMap<>();

  @Override
  public void onForget(AnnouncingLane lane) {
    byLane.remove(lane.number());
  }

  @Override
  public void onOpened(AnnouncingLane lane, String mark, String listener, String clientAddress) {
    byLane
        .computeIfAbsent(lane.number(), _ -> new LaneMarks(new ConcurrentHashMap<>(), false))
        .byMark
        .put(mark, new Announced(mark, listener, clientAddress));
  }

  @Override
  public void onClosed(AnnouncingLane lane, String mark, CloseReason reason) {
    LaneMarks marks = byLane.get(lane.number());
    if (marks != null) {
      marks.byMark.remove(mark);
    }
  }

  @Override
  public void onSynced(AnnouncingLane lane) {
    byLane.merge(
        lane.number(),
        new LaneMarks(new ConcurrentHashMap<>(), true),
        (known, _) -> new LaneMarks(known.byMark, true));
  }

  /** The number of lanes that have announced all their connections. */
  public long syncedLanes() {
    return byLane.values().stream().filter(LaneMarks::isSynced).count();
  }

  /** The connections, in no particular order. */
  public List<Announced> all() {
    return byLane.values().stream().flatMap(lane -> lane.byMark.values().stream()).toList();
  }
}
