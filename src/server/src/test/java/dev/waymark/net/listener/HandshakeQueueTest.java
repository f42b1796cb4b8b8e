package dev.waymark.net.listener;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HandshakeQueueTest {
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final HandshakeQueue queue = new HandshakeQueue(channel.eventLoop());
  private final List<Integer> begun = new ArrayList<>();
  private final Set<Integer> over = new HashSet<>();

  private void add(int from, int to) {
    for (int i = from; i < to; i++) {
      int client = i;
      queue.add(
          new HandshakeQueue.Waiting() {
            @Override
            public boolean isOver() {
              return over.contains(client);
            }

            @Override
            public void begin() {
              begun.add(client);
            }
          });
    }
  }

  private void turn() {
    channel.runScheduledPendingTasks();
  }

  @Test
  void clients_beginInTheirOrder_fourInATurn() {
    add(0, 10);
    assertThat(begun).isEmpty();
    turn();
    assertThat(begun).containsExactly(0, 1, 2, 3);
    add(10, 11);
    turn();
    assertThat(begun).hasSize(8);
    turn();
    assertThat(begun).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    turn();
    assertThat(begun).hasSize(11);
  }

  @Test
  void clients_whoseTimeIsOver_areSkippedWithoutCost() {
    add(0, 10_000);
    for (int i = 0; i < 9_997; i++) {
      over.add(i);
    }
    turn();
    assertThat(begun).containsExactly(9_997, 9_998, 9_999);
  }

  /**
   * Clients that all come at once and, when they have waited for 5 s, give up and come again. Each
   * handshake takes 1 ms, so that a queue of all takes 10 s.
   */
  private static final class Storm {
    private static final int CLIENTS = 10_000;
    private static final int PATIENCE_MS = 5_000;

    private final HandshakeQueue queue;
    private final boolean isRuleKept;
    private final int[] cameAtMs = new int[CLIENTS];
    private final BitSet in = new BitSet(CLIENTS);
    private int nowMs;

    Storm(HandshakeQueue queue, boolean isRuleKept) {
      this.queue = queue;
      this.isRuleKept = isRuleKept;
    }

    private void come(int client) {
      int came = nowMs;
      cameAtMs[client] = came;
      queue.add(
          new HandshakeQueue.Waiting() {
            private boolean isGone() {
              return in.get(client) || nowMs - came >= PATIENCE_MS;
            }

            @Override
            public boolean isOver() {
              return isRuleKept && isGone();
            }

            @Override
            public void begin() {
              nowMs++;
              if (!isGone()) {
                in.set(client);
              }
            }
          });
    }

    /** Returns how many are in by then. */
    int run(Runnable turn, int untilMs) {
      for (int client = 0; client < CLIENTS; client++) {
        come(client);
      }
      while (nowMs < untilMs && in.cardinality() < CLIENTS) {
        int before = nowMs;
        turn.run();
        nowMs = Math.max(nowMs, before + 1);
        for (int client = 0; client < CLIENTS; client++) {
          if (!in.get(client) && nowMs - cameAtMs[client] >= PATIENCE_MS) {
            come(client);
          }
        }
      }
      return in.cardinality();
    }
  }

  @Test
  void clients_thatAllComeAtOnceAndGiveUp_getInWithinTheTimeThatTheirHandshakesTake() {
    Storm storm = new Storm(queue, true);
    assertThat(storm.run(this::turn, 20_000)).isEqualTo(Storm.CLIENTS);
    assertThat(storm.nowMs).isLessThan(10_100);
  }

  @Test
  void clients_thatAllComeAtOnceAndGiveUp_wouldNotGetIn_ifThoseGoneWereNotSkipped() {
    Storm storm = new Storm(queue, false);
    assertThat(storm.run(this::turn, 60_000)).isLessThan(Storm.CLIENTS * 6 / 10);
  }

  @Test
  void client_thatComesLater_isBegun() {
    add(0, 1);
    turn();
    add(1, 2);
    turn();
    assertThat(begun).containsExactly(0, 1);
  }
}
