package dev.waymark.net.listener;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The TLS handshakes that wait to begin on one event loop, first come, first served. Beginning one
 * costs up to a millisecond of CPU, so only a few begin in each turn of the loop: connections that
 * are open, and handshakes under way, keep their latency when thousands of clients reconnect at
 * once. Whoever is over by then is never begun: a client that has given up costs nothing, so that
 * all CPU goes to those that still wait. Confined to its event loop.
 */
final class HandshakeQueue {
  /** A client whose ClientHello is complete. */
  interface Waiting {
    /** Whether its time is over, or its socket closed. */
    boolean isOver();

    /** Begins the handshake. */
    void begin();
  }

  private static final int BEGUN_PER_TURN_MAX = 4;

  private final EventLoop loop;
  private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
  private boolean isScheduled;

  HandshakeQueue(EventLoop loop) {
    this.loop = loop;
  }

  void add(Waiting client) {
    queue.add(client);
    schedule();
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
    @Nullable Waiting next;
    while (begun < BEGUN_PER_TURN_MAX && (next = queue.poll()) != null) {
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
