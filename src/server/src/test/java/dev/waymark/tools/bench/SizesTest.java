package dev.waymark.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SizesTest {
  @Test
  void sizes_overManyRequests_areMixedEvenly() {
    Sizes sizes = new Sizes(List.of(64, 1_024, 16_384));
    Map<Integer, Integer> counts = new HashMap<>();
    for (int number = 0; number < 100; number++) {
      for (int request = 0; request < 300; request++) {
        counts.merge(sizes.of(number, request), 1, Integer::sum);
      }
    }
    assertThat(counts).containsOnlyKeys(64, 1_024, 16_384);
    assertThat(counts.values()).allSatisfy(count -> assertThat(count).isBetween(9_000, 11_000));
    assertThat(sizes.largest()).isEqualTo(16_384);
  }

  @Test
  void size_ifOnlyOne_isThatOfEachRequest() {
    assertThat(new Sizes(List.of(7)).of(3, 1L << 40)).isEqualTo(7);
  }
}
