package dev.waymark.engine.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.Connection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ConnectionTableTest {
  @Test
  void table_underRandomChanges_behavesLikeAMap() {
    Fixtures fixtures = new Fixtures();
    Connection[] some = new Connection[3000];
    for (int i = 0; i < some.length; i++) {
      some[i] = fixtures.accept();
      fixtures.effects.clear();
    }
    ConnectionTable table = new ConnectionTable();
    Map<Long, Connection> expected = new HashMap<>();
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 60_000; i++) {
      Connection connection = some[random.nextInt(some.length)];
      boolean isGrowing = i / 10_000 % 2 == 0;
      if (expected.containsKey(connection.sequence()) && random.nextInt(10) < (isGrowing ? 3 : 9)) {
        table.remove(connection);
        expected.remove(connection.sequence());
      } else if (expected.putIfAbsent(connection.sequence(), connection) == null) {
        table.put(connection);
      }
      assertThat(table.size()).isEqualTo(expected.size());
    }
    for (Connection connection : some) {
      assertThat(table.get(connection.sequence())).isSameAs(expected.get(connection.sequence()));
    }
    Set<Connection> seen = new HashSet<>();
    table.forEach(seen::add);
    assertThat(seen).hasSize(expected.size()).containsAll(expected.values());
  }

  @Test
  void forEach_thatRemoves_seesEachOnce() {
    Fixtures fixtures = new Fixtures();
    ConnectionTable table = new ConnectionTable();
    for (int i = 0; i < 100; i++) {
      table.put(fixtures.accept());
    }
    int[] count = new int[1];
    table.forEach(connection -> {
      count[0]++;
      table.remove(connection);
      table.remove(connection);
    });
    assertThat(count[0]).isEqualTo(100);
    assertThat(table.size()).isZero();
  }
}
