package dev.waymark.engine.base;

import org.jspecify.annotations.Nullable;

/**
 * The next deadline of many owners.
 *
 * <p><b>The problem.</b> Each of a million idle connections has a deadline that is moved with
 * nearly every byte and hardly ever fires. A heap would cost a logarithm and a cache miss for each
 * move, and a timer object for each deadline would cost memory and collections.
 *
 * <p><b>The idea.</b> A hashed timing wheel (Varghese and Lauck, 1987, scheme 6): time is cut into
 * ticks, and an owner is in the list of the tick in which it has to be looked at. The lists run
 * through the owners' own {@link Node}s, so arming and disarming cost no allocation and a closed
 * connection leaves nothing behind.
 *
 * <p><b>Why it is correct.</b> The wheel promises only that an owner is called at most one tick
 * late, and possibly too early. A deadline that moves later is not moved in the wheel: the owner is
 * called at the old time, sees that nothing is due, and arms itself again. So traffic that moves a
 * deadline later costs one comparison. A deadline past the horizon is treated the same way.
 *
 * <p><b>The cost.</b> That tick. Times are compared by subtraction, so they may wrap. Confined to
 * its shard's thread.
 */
public final class DeadlineWheel {
  /** How late a deadline may be noticed. */
  public static final long TICK_NS = 100_000_000L;

  private static final int SLOTS = 512;

  /** Something with deadlines. */
  public interface Timed {
    /** A deadline may have passed. The owner arms its node again if it has a later one. */
    void onDeadline(long nowNs);
  }

  /** The place of one owner in the wheel. */
  public static final class Node {
    private final Timed owner;
    private @Nullable Node previous;
    private @Nullable Node next;
    private long tick;

    public Node(Timed owner) {
      this.owner = owner;
    }

    private boolean isArmed() {
      return previous != null;
    }
  }

  private final Node[] slots = new Node[SLOTS];
  private final long originNs;
  private long currentTick;

  @SuppressWarnings("NullAway") // A list head has no owner, and nobody asks it for one.
  public DeadlineWheel(long nowNs) {
    originNs = nowNs;
    for (int i = 0; i < SLOTS; i++) {
      Node head = new Node(null);
      head.previous = head;
      head.next = head;
      slots[i] = head;
    }
  }

  /** Schedules a call of the owner's onDeadline: at most one tick after this time, or earlier. */
  public void arm(Node node, long deadlineNs) {
    long wanted = Math.floorDiv(deadlineNs - originNs + TICK_NS - 1, TICK_NS);
    long tick = Math.clamp(wanted, currentTick + 1, currentTick + SLOTS - 1);
    if (node.isArmed()) {
      if (node.tick <= tick) {
        return;
      }
      disarm(node);
    }
    node.tick = tick;
    insert(slots[(int) (tick % SLOTS)], node);
  }

  /** Forgets the owner. Idempotent. */
  public void disarm(Node node) {
    Node previous = node.previous;
    Node next = node.next;
    if (previous != null && next != null) {
      previous.next = next;
      next.previous = previous;
      node.previous = null;
      node.next = null;
    }
  }

  /** Calls onDeadline of all owners whose time has come. */
  public void advance(long nowNs) {
    long until = Math.floorDiv(nowNs - originNs, TICK_NS);
    while (currentTick < until) {
      currentTick++;
      Node head = slots[(int) (currentTick % SLOTS)];
      for (Node node = head.next; node != null && node != head; node = head.next) {
        disarm(node);
        node.owner.onDeadline(nowNs);
      }
    }
  }

  /** When the next tick is due. */
  public long nextTickNs() {
    return originNs + (currentTick + 1) * TICK_NS;
  }

  private static void insert(Node head, Node node) {
    Node last = head.previous;
    node.previous = last;
    node.next = head;
    if (last != null) {
      last.next = node;
    }
    head.previous = node;
  }
}
