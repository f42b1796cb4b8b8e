package dev.waymark.sim;

import dev.waymark.upstreams.SimulatedPool.Found;
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
  private String health = "UNKNOWN";
  private int weight = 1;
  private boolean isCanary;
  private @Nullable SdkProcess sdk;
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
    if (sdk != null) {
      sdk.crash();
      sdk = null;
    }
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

  /** Discovery names it, or does not. */
  void isListed(boolean nowListed) {
    isListed = nowListed;
  }

  /** Its Watch says so, true or not. */
  void health(String nowHealth) {
    health = nowHealth;
  }

  /** Discovery says that it is worth more or less than others. */
  void weigh() {
    weight = 1 + dice.upTo(5);
    isCanary = dice.oneIn(3);
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

  /** That of a process which is built on the SDK. */
  SdkProcess sdk(Sim sim) {
    if (sdk == null) {
      sdk = new SdkProcess(sim, this);
    }
    return sdk;
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

  /** Discovery names it. */
  boolean isListed() {
    return isListed;
  }

  /** What its Watch said last. */
  String health() {
    return health;
  }

  String address() {
    return "upstream:" + number;
  }

  Found found() {
    return new Found(address(), weight, isCanary);
  }

  @Override
  public String toString() {
    return kind
        + " "
        + health
        + (isListed ? "" : " unlisted")
        + (isUp ? "" : " down")
        + (isFrozen ? " frozen" : "")
        + (isDraining ? " draining" : "");
  }
}
