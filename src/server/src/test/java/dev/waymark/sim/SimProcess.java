package dev.waymark.sim;

import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An upstream process: it crashes, freezes, drains and comes back; lanes end here. */
final class SimProcess {
  private final Dice dice;
  private final int number;
  private final SimUpstream.Kind kind;
  private final List<SimLane> lanes = new ArrayList<>();
  private final Map<Long, SimPeer> newest = new HashMap<>();
  private UpstreamState state = UpstreamState.SERVING;
  private boolean isListed = true;
  private boolean isUp = true;
  private long upAgainNs;
  private boolean isFrozen;
  private boolean isDraining;

  SimProcess(Dice dice, int number, SimUpstream.Kind kind) {
    this.dice = dice;
    this.number = number;
    this.kind = kind;
  }

  // --- what happens to it ---

  /**
   * @param isSupervised it comes back when its time has come, not at some time
   */
  void act(long nowNs, boolean isSupervised) {
    if (!isUp && (isSupervised ? upAgainNs - nowNs <= 0 : dice.oneIn(60))) {
      isUp = true;
      isDraining = false;
    }
    isFrozen = isFrozen && !dice.oneIn(200);
  }

  /** Its lanes break, each at a time of its own; it may come back then. */
  void crash(long nowUpAgainNs) {
    upAgainNs = nowUpAgainNs;
    isUp = false;
    isFrozen = false;
    newest.clear();
    List<SimLane> lost = lanes.stream().filter(lane -> !lane.isConnecting()).toList();
    lanes.removeAll(lost);
    lost.forEach(SimLane::orphan);
  }

  void freeze() {
    isFrozen = true;
  }

  void drain() {
    isDraining = true;
  }

  /** Discovery and health say this of it, true or not. */
  void view(boolean nowListed, UpstreamState now) {
    isListed = nowListed;
    state = now;
  }

  void heal() {
    isUp = true;
    isFrozen = false;
  }

  // --- its lanes ---

  void lane(SimLane lane) {
    lanes.add(lane);
  }

  void gone(SimLane lane) {
    lanes.remove(lane);
  }

  /** An Open ends older epochs of its connection in the whole process (rule 8). */
  void open(long connection, SimPeer peer) {
    SimPeer known = newest.get(connection);
    if (known != null && known.epoch() > peer.epoch()) {
      // It was under way for longer than its successor.
      peer.end();
      return;
    }
    newest.put(connection, peer);
    if (known != null) {
      known.end();
    }
  }

  // --- what is asked of it ---

  int number() {
    return number;
  }

  SimUpstream.Kind kind() {
    return kind;
  }

  boolean isUp() {
    return isUp;
  }

  /** It does not work on anything. */
  boolean isFrozen() {
    return isFrozen;
  }

  boolean isDraining() {
    return isDraining;
  }

  boolean isServing() {
    return isListed && state == UpstreamState.SERVING;
  }

  /** Null: not to be found. */
  @Nullable UpstreamView view() {
    return isListed
        ? new UpstreamView(
            "upstream:" + number, state, state.name(), 1, 100, UpstreamView.Subset.WHOLE, Map.of())
        : null;
  }

  @Override
  public String toString() {
    return kind
        + " "
        + state
        + (isListed ? "" : " unlisted")
        + (isUp ? "" : " down")
        + (isFrozen ? " frozen" : "")
        + (isDraining ? " draining" : "");
  }
}
