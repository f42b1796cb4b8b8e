package dev.waymark.engine.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.shard.RecentCloses.Close;
import dev.waymark.protocol.CloseReason;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecentClosesTest {
  private final List<ListenerOptions> listeners =
      List.of(
          Fixtures.listener("first", "pool", 0),
          Fixtures.listener("second", "pool", 0),
          Fixtures.listener("third", "pool", 0));

  private Close close(long sequence) {
    return new Close(listeners.getFirst(), CloseReason.DONE, sequence * 10);
  }

  @Test
  void close_added_isFoundWithAllItsFields() {
    RecentCloses closes = new RecentCloses(10);
    closes.add(7, new Close(listeners.get(1), CloseReason.POISON, Long.MAX_VALUE));
    closes.add(Long.MAX_VALUE, new Close(listeners.get(2), null, -1));
    assertThat(closes.find(7))
        .isEqualTo(new Close(listeners.get(1), CloseReason.POISON, Long.MAX_VALUE));
    assertThat(closes.find(Long.MAX_VALUE)).isEqualTo(new Close(listeners.get(2), null, -1));
    assertThat(closes.find(8)).isNull();
    assertThat(closes.find(0)).isNull();
  }

  @Test
  void table_ofCapacityOne_remembersTheLast() {
    RecentCloses closes = new RecentCloses(1);
    assertThat(closes.find(0)).isNull();
    for (long sequence = 1; sequence < 1000; sequence++) {
      closes.add(sequence, close(sequence));
      assertThat(closes.find(sequence)).isEqualTo(close(sequence));
      assertThat(closes.find(sequence - 1)).isNull();
    }
  }

  @Test
  void oldest_atTheLimit_isForgottenWhateverItsSequence() {
    RecentCloses closes = new RecentCloses(3);
    for (long sequence : new long[] {30, 10, 20, 5}) {
      closes.add(sequence, close(sequence));
    }
    assertThat(closes.find(30)).isNull();
    assertThat(closes.find(10)).isNotNull();
    closes.add(40, close(40));
    assertThat(closes.find(10)).isNull();
    assertThat(closes.find(20)).isNotNull();
    assertThat(closes.find(5)).isNotNull();
    assertThat(closes.find(40)).isNotNull();
  }

  @Test
  void closes_beyondTheCapacity_areForgotten() {
    RecentCloses closes = new RecentCloses(65_536);
    for (long sequence = 1; sequence <= 200_000; sequence++) {
      closes.add(sequence, close(sequence));
    }
    assertThat(closes.size()).isEqualTo(65_536);
    assertThat(closes.find(200_000 - 65_536)).isNull();
    assertThat(closes.find(200_000 - 65_535)).isNotNull();
  }
}
