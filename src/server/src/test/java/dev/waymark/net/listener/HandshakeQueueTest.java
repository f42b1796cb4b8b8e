package dev.waymark.net.listener;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class HandshakeQueueTest {
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final HandshakeQueue queue = new HandshakeQueue(channel.eventLoop());
  private final List<Integer> begun = new ArrayList<>();
  private final List<Integer> evicted = new ArrayList<>();
  private final Set<Integer> over = new HashSet<>();
  private final List<HandshakeQueue.Waiting> waiting = new ArrayList<>();

  private void add(int from, int to) {
    for (int i = from; i < to; i++) {
      int client = i;
      HandshakeQueue.Waiting one =
          new HandshakeQueue.Waiting() {
            @Override
            public boolean isOver() {
              return over.contains(client);
            }

            @Override
            public void begin() {
              begun.add(client);
            }

            @Override
            public void evict() {
              evicted.add(client);
            }
          };
      waiting.add(one);
      queue.arrive(one);
      queue.add(one);
    }
  }

  @Test
  void room_isMadeByWhoeverHasBeenSilentLongest() {
    add(0, 1);
    assertThat(queue.evict()).as("its ClientHello is complete").isFalse();
    add(1, 4);
    for (int i = 1; i < 4; i++) {
      queue.remove(waiting.get(i));
      queue.arrive(waiting.get(i));
    }
    queue.remove(waiting.get(2));
    assertThat(queue.evict()).isTrue();
    assertThat(queue.evict()).isTrue();
    assertThat(queue.evict()).isFalse();
    assertThat(evicted).containsExactly(1, 3);
  }

  @Test
  void bytesThatWait_areBounded_andTheSilentMakeRoom() {
    add(0, 2);
    queue.remove(waiting.getFirst());
    queue.arrive(waiting.getFirst());
    assertThat(queue.hold((int) HandshakeQueue.HELD_BYTES_MAX)).isTrue();
    assertThat(evicted).isEmpty();
    assertThat(queue.hold(1)).as("nobody frees enough").isFalse();
    assertThat(evicted).containsExactly(0);
    queue.hold(-1);
    assertThat(queue.hold(0)).isTrue();
  }

  private void turn() {
    channel.runScheduledPendingTasks();
  }

  @Test
  void clients_beginLastComeFirstServed_fourInATurn() {
    add(0, 6);
    assertThat(begun).isEmpty();
    turn();
    assertThat(begun).containsExactly(5, 4, 3, 2);
    add(6, 9);
    turn();
    assertThat(begun).containsExactly(5, 4, 3, 2, 8, 7, 6, 1);
    turn();
    turn();
    assertThat(begun).containsExactly(5, 4, 3, 2, 8, 7, 6, 1, 0);
  }

  @Test
  void clients_whoseTimeIsOver_areSkippedWithoutCost() {
    add(0, 10_000);
    for (int i = 3; i < 10_000; i++) {
      over.add(i);
    }
    turn();
    assertThat(begun).containsExactly(2, 1, 0);
  }

  @Test
  void client_thatHasGone_isForgotten() {
    add(0, 2);
    queue.remove(waiting.get(1));
    queue.remove(waiting.get(1));
    turn();
    assertThat(begun).containsExactly(0);
    queue.remove(waiting.get(0));
  }

  @Test
  void client_thatComesLater_isBegun() {
    add(0, 1);
    turn();
    add(1, 2);
    turn();
    assertThat(begun).containsExactly(0, 1);
  }

  /**
   * Clients that come within a second, give up when they have waited for 5 s, and come again some
   * time later. To begin a handshake takes 2 ms, so that all take 20 s; afterwards a client needs
   * 300 ms more. The bridge does not notice that a client has gone.
   */
  private static final class Storm {
    private static final int CLIENTS = 10_000;
    private static final int COST_MS = 2;
    private static final int PATIENCE_MS = 5_000;
    private static final int REST_MS = 300;
    private static final int PAUSE_MS = 1_000;

    private final Consumer<HandshakeQueue.Waiting> queue;
    private final Runnable turn;
    private final SplittableRandom random = new SplittableRandom(15);
    private final int[] givesUpAtMs = new int[CLIENTS];
    private final int[] comesAtMs = new int[CLIENTS];
    private final BitSet in = new BitSet(CLIENTS);
    private int nowMs;

    Storm(Consumer<HandshakeQueue.Waiting> queue, Runnable turn) {
      this.queue = queue;
      this.turn = turn;
    }

    private void come(int client) {
      int givesUpAt = nowMs + PATIENCE_MS;
      givesUpAtMs[client] = givesUpAt;
      queue.accept(
          new HandshakeQueue.Waiting() {
            @Override
            public boolean isOver() {
              return false;
            }

            @Override
            public void begin() {
              nowMs += COST_MS;
              if (nowMs + REST_MS <= givesUpAt) {
                in.set(client);
              }
            }

            @Override
            public void evict() {
              throw new AssertionError("nobody needs room");
            }
          });
    }

    /** Runs until all are in, or this time; returns how many are in. */
    int run(int untilMs) {
      for (int client = 0; client < CLIENTS; client++) {
        comesAtMs[client] = random.nextInt(PAUSE_MS);
      }
      while (nowMs < untilMs && in.cardinality() < CLIENTS) {
        for (int client = 0; client < CLIENTS; client++) {
          moveOn(client);
        }
        int before = nowMs;
        turn.run();
        nowMs = Math.max(nowMs, before + 1);
      }
      return in.cardinality();
    }

    private void moveOn(int client) {
      if (comesAtMs[client] >= 0 && nowMs >= comesAtMs[client]) {
        comesAtMs[client] = -1;
        come(client);
      } else if (comesAtMs[client] < 0 && !in.get(client) && nowMs >= givesUpAtMs[client]) {
        comesAtMs[client] = nowMs + random.nextInt(PAUSE_MS);
      }
    }
  }

  @Test
  void storm_ofClientsThatGiveUp_getsInWithinLittleMoreThanItsHandshakesTake() {
    Storm storm = new Storm(queue::add, this::turn);
    assertThat(storm.run(60_000)).isEqualTo(Storm.CLIENTS);
    assertThat(storm.nowMs).isLessThan(Storm.CLIENTS * Storm.COST_MS * 3 / 2);
  }

  @Test
  void storm_ofClientsThatGiveUp_hardlyGetsIn_ifItIsServedInTheOrderOfItsCome() {
    ArrayDeque<HandshakeQueue.Waiting> inOrder = new ArrayDeque<>();
    Storm storm =
        new Storm(
            inOrder::add,
            () -> {
              if (!inOrder.isEmpty()) {
                inOrder.remove().begin();
              }
            });
    assertThat(storm.run(60_000)).isLessThan(Storm.CLIENTS * 3 / 10);
  }
}
