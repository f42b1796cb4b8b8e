package dev.waymark.upstreams.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class SinceTest {
  private final Since<String> since = new Since<>();

  @Test
  void thing_thatStaysAsItIs_keepsItsTime() {
    since.update(Map.of("a", "up", "b", "up"), 1);
    since.update(Map.of("a", "up", "b", "down"), 2);
    assertThat(since.of("a")).hasValue(1);
    assertThat(since.of("b")).hasValue(2);
  }

  @Test
  void thing_thatIsNotNamed_isForgotten() {
    since.update(Map.of("a", "up"), 1);
    since.update(Map.of(), 2);
    assertThat(since.of("a")).isEmpty();
    since.update(Map.of("a", "up"), 3);
    assertThat(since.of("a")).hasValue(3);
  }
}
