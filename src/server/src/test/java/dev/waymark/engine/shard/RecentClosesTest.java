package dev.waymark.engine.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.protocol.CloseReason;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecentClosesTest {
  private record Closed(ListenerOptions listener, @Nullable CloseReason reason, long unixMs) {}

  private final List<ListenerOptions> listeners =
      List.of(listener("first"), listener("second"), listener("third"));

  private static ListenerOptions listener(String name) {
    return Fixtures.listener(name, "pool", 0);
  }

  private void add(RecentCloses closes, long sequence, CloseReason reason) {
    closes.add(sequence, listeners.getFirst(), reason, sequence * 10);
  }

  private static @Nullable Closed found(RecentCloses closes, long sequence) {
    int place = closes.find(sequence);
    return place < 0
        ? null
        : new Closed(closes.listener(place), closes.reason(place), closes.closedUnixMs(place));
  }

  @Test
  void close_added_isFoundWithAllThatIsKnownOfIt() {
    RecentCloses closes = new RecentCloses(10);
    closes.add(7, listeners.get(1), CloseReason.POISON, Long.MAX_VALUE);
    closes.add(Long.MAX_VALUE, listeners.get(2), null, -1);
    assertThat(found(closes, 7))
        .isEqualTo(new Closed(listeners.get(1), CloseReason.POISON, Long.MAX_VALUE));
    assertThat(found(closes, Long.MAX_VALUE)).isEqualTo(new Closed(listeners.get(2), null, -1));
    assertThat(found(closes, 8)).isNull();
    assertThat(found(closes, 0)).isNull();
  }

  @Test
  void reason_eachThereIs_isKept() {
    RecentCloses closes = new RecentCloses(CloseReason.values().length);
    for (CloseReason reason : CloseReason.values()) {
      add(closes, reason.ordinal() + 1, reason);
    }
    for (CloseReason reason : CloseReason.values()) {
      assertThat(closes.reason(closes.find(reason.ordinal() + 1))).isEqualTo(reason);
    }
  }

  @Test
  void nothing_inNewOnes_isFound() {
    RecentCloses closes = new RecentCloses(1);
    assertThat(closes.find(0)).isNegative();
    assertThat(closes.find(1)).isNegative();
  }

  @Test
  void capacityOfOne_remembersTheLast() {
    RecentCloses closes = new RecentCloses(1);
    for (long sequence = 1; sequence < 1000; sequence++) {
      add(closes, sequence, CloseReason.DONE);
      assertThat(found(closes, sequence))
          .isEqualTo(new Closed(listeners.getFirst(), CloseReason.DONE, sequence * 10));
      assertThat(closes.find(sequence - 1)).isNegative();
    }
  }

  @Test
  void eldest_atTheBound_isForgottenWhateverItsSequence() {
    RecentCloses closes = new RecentCloses(3);
    for (long sequence : new long[] {30, 10, 20, 5}) {
      add(closes, sequence, CloseReason.DONE);
    }
    assertThat(closes.find(30)).isNegative();
    assertThat(closes.find(10)).isNotNegative();
    add(closes, 40, CloseReason.DONE);
    assertThat(closes.find(10)).isNegative();
    assertThat(closes.find(20)).isNotNegative();
    assertThat(closes.find(5)).isNotNegative();
    assertThat(closes.find(40)).isNotNegative();
  }

  /** One chain of all, removed from its end. */
  @Test
  void sequences_ofOneHash_areFoundAndForgottenAsOthersAre() {
    int capacity = 100;
    RecentCloses closes = new RecentCloses(capacity);
    long[] same = sequencesOfOneHash(1000);
    for (int i = 0; i < same.length; i++) {
      add(closes, same[i], CloseReason.DONE);
      int eldest = Math.max(0, i + 1 - capacity);
      assertThat(closes.find(same[eldest])).isNotNegative();
      assertThat(closes.find(same[i])).isNotNegative();
      if (eldest > 0) {
        assertThat(closes.find(same[eldest - 1])).isNegative();
      }
    }
  }

  private static long[] sequencesOfOneHash(int count) {
    long[] same = new long[count];
    int found = 0;
    for (long sequence = 1; found < count; sequence++) {
      if (RecentCloses.home(sequence, 0xff) == 0xff) {
        same[found++] = sequence;
      }
    }
    return same;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 64, 1000, 1024, 1025, 3000})
  void closes_inAnyOrder_areLikeAMapThatForgetsItsEldest(int capacity) {
    SplittableRandom random = new SplittableRandom(capacity);
    RecentCloses closes = new RecentCloses(capacity);
    Map<Long, Closed> model = new LinkedHashMap<>();
    for (int step = 0; step < 20_000; step++) {
      long sequence = random.nextInt(capacity * 4) * 3L + 1;
      if (!model.containsKey(sequence)) {
        Closed closed = any(random);
        closes.add(sequence, closed.listener(), closed.reason(), closed.unixMs());
        model.put(sequence, closed);
        if (model.size() > capacity) {
          model.remove(model.keySet().iterator().next());
        }
      }
      long asked = random.nextInt(capacity * 4) * 3L + 1;
      assertThat(found(closes, asked)).isEqualTo(model.get(asked));
      assertThat(closes.size()).isEqualTo(model.size());
    }
    Set<Long> all = model.keySet();
    for (long sequence = 0; sequence < capacity * 12L; sequence++) {
      assertThat(closes.find(sequence) >= 0).isEqualTo(all.contains(sequence));
    }
  }

  private Closed any(SplittableRandom random) {
    CloseReason[] reasons = CloseReason.values();
    int reason = random.nextInt(reasons.length + 1);
    return new Closed(
        listeners.get(random.nextInt(listeners.size())),
        reason == reasons.length ? null : reasons[reason],
        random.nextLong());
  }

  @Test
  void memory_ofFewOnes_isSmallAndOfFullOnesBounded() {
    RecentCloses closes = new RecentCloses(65_536);
    assertThat(closes.heldBytes()).isLessThan(100);
    add(closes, 1, CloseReason.DONE);
    assertThat(closes.heldBytes()).isLessThan(32 * 1024);
    for (long sequence = 2; sequence <= 200_000; sequence++) {
      add(closes, sequence, CloseReason.DONE);
    }
    assertThat(closes.size()).isEqualTo(65_536);
    assertThat(closes.heldBytes()).isLessThanOrEqualTo(65_536 * 29);
  }
}
