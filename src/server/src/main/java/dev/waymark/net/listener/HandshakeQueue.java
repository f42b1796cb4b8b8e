package dev.waymark.net.listener;

import io.netty.channel.EventLoop;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import java.util.concurrent.TimeUnit;

/**
 * The TLS handshakes that wait to begin on one event loop. Beginning one costs up to a millisecond
 * of CPU, so only a few begin in each turn of the loop: connections that are open, and handshakes
 * under way, keep their latency when thousands of clients reconnect at once.
 *
 * <p>Last come, first served. Clients give up after some time that the bridge does not know, and
 * come again; in a queue that is longer than that, those at its front are about to give up, or have
 * already done so, and their handshakes would be in vain. Whoever came last has the most time left.
 * Whoever is over is never begun. So nearly every handshake that begins is completed, and in a
 * storm of clients that come again, all get in after the time that their handshakes take.
 *
 * <p>Clients that have connected and say nothing hold a place among the handshakes under way, which
 * are limited. When all places are taken, the one that has been silent longest loses its own.
 * Confined to its event loop.
 */
final class HandshakeQueue {
  /** A client whose handshake has not begun. */
  interface Waiting {
    /** Whether its time is over, or its socket closed. */
    boolean isOver();

    /** Begins the handshake. */
    void begin();

    /** Closes the connection, to make room for another. */
    void evict();
  }

  private static final int BEGUN_PER_TURN_MAX = 4;

  /** What clients may have sent before their handshakes begin, all of them together. */
  static final long HELD_BYTES_MAX = 32L << 20;

  private final EventLoop loop;

  /** Those whose ClientHello is not complete; the oldest first. */
  private final SequencedSet<Waiting> silent = new LinkedHashSet<>();

  private final SequencedSet<Waiting> queue = new LinkedHashSet<>();
  private long heldBytes;
  private boolean isScheduled;

  HandshakeQueue(EventLoop loop) {
    this.loop = loop;
  }

  /** A client has connected. */
  void arrive(Waiting client) {
    silent.add(client);
  }

  /** Its ClientHello is complete. */
  void add(Waiting client) {
    silent.remove(client);
    queue.add(client);
    schedule();
  }

  /** The client has gone. No effect if it does not wait. */
  void remove(Waiting client) {
    silent.remove(client);
    queue.remove(client);
  }

  /**
   * A client's bytes that wait for its handshake have become more or, below 0, less.
   *
   * @return whether there is room for them, if need be because others lose theirs
   */
  boolean hold(int bytes) {
    heldBytes += bytes;
    while (bytes > 0 && heldBytes > HELD_BYTES_MAX) {
      if (!evict()) {
        return false;
      }
    }
    return true;
  }

  /** Closes the connection that has been silent longest; returns whether there was one. */
  boolean evict() {
    if (silent.isEmpty()) {
      return false;
    }
    silent.removeFirst().evict();
    return true;
  }

  private void schedule() {
    if (!isScheduled) {
      isScheduled = true;
      // A task that is due runs in the next turn, after I/O; one that is executed might run in
      // this.
      loop.schedule(this::turn, 0, TimeUnit.NANOSECONDS);
    }
  }

  private void turn() {
    isScheduled = false;
    int begun = 0;
    while (begun < BEGUN_PER_TURN_MAX && !queue.isEmpty()) {
      Waiting next = queue.removeLast();
      if (!next.isOver()) {
        begun++;
        next.begin();
      }
    }
    if (!queue.isEmpty()) {
      schedule();
    }
  }
}
