package dev.waymark.sim;

import dev.waymark.upstreams.SimulatedPool.Found;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An upstream process: what is common to all its lanes. It crashes, freezes, drains and comes back,
 * and remembers what discovery and its health Watch last said about it.
 */
final class SimProcess {
  private final Dice dice;
  private final int number;
  private final SimUpstream.Kind kind;
  private final List<SimLane> lanes = new ArrayList<>();

  /** The newest attachment of each connection, on any lane. */
  private final Map<Long, SimPeer> newest = new HashMap<>();

  private String health = "UNKNOWN";
  private int weight = 1;
  private boolean isCanary;
  private @Nullable SdkProcess sdk;
  private boolean isListed = true;
  private boolean isUp = true;
  private long restartNs;
  private boolean isFrozen;
  private boolean isDraining;

  SimProcess(Dice dice, int number, SimUpstream.Kind kind) {
    this.dice = dice;
    this.number = number;
    this.kind = kind;
  }

  // --- actions ---

  /**
   * May restart or unfreeze the process.
   *
   * @param isSupervised restarts at the planned time instead of a random one
   */
  void act(long nowNs, boolean isSupervised) {
    if (!isUp && (isSupervised ? restartNs - nowNs <= 0 : dice.oneIn(60))) {
      isUp = true;
      isDraining = false;
    }
    isFrozen = isFrozen && !dice.oneIn(200);
  }

  /** Kills the process. The bridge notices lane by lane, each at its own time. */
  void crash(long restartAtNs) {
    if (sdk != null) {
      sdk.crash();
      sdk = null;
    }
    restartNs = restartAtNs;
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

  /** Sets whether discovery lists it. */
  void isListed(boolean nowListed) {
    isListed = nowListed;
  }

  /** Records what its health Watch says, true or not. */
  void health(String nowHealth) {
    health = nowHealth;
  }

  /** Changes the weight and labels under which discovery lists it. */
  void changeWeight() {
    weight = 1 + dice.upTo(5);
    isCanary = dice.oneIn(3);
  }

  void heal() {
    isUp = true;
    isFrozen = false;
  }

  // --- its lanes ---

  void addLane(SimLane lane) {
    lanes.add(lane);
  }

  void removeLane(SimLane lane) {
    lanes.remove(lane);
  }

  /** An Open ends older epochs of its connection in the whole process (rule 8). */
  void onOpen(long connection, SimPeer peer) {
    SimPeer known = newest.get(connection);
    if (known != null && known.epoch() > peer.epoch()) {
      // This Open was in flight for longer than that of a newer epoch.
      peer.end();
      return;
    }
    newest.put(connection, peer);
    if (known != null) {
      known.end();
    }
  }

  /** Returns the SDK's side of this process, started if need be. */
  SdkProcess sdk(Sim sim) {
    if (sdk == null) {
      sdk = new SdkProcess(sim, this);
    }
    return sdk;
  }

  // --- state ---

  int number() {
    return number;
  }

  SimUpstream.Kind kind() {
    return kind;
  }

  boolean isUp() {
    return isUp;
  }

  /** Whether it does no work at all. */
  boolean isFrozen() {
    return isFrozen;
  }

  boolean isDraining() {
    return isDraining;
  }

  /** Whether discovery lists it. */
  boolean isListed() {
    return isListed;
  }

  /** The last health that its Watch reported. */
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
