package dev.waymark.engine.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GroupSizeTest {
  private static final long MS = 1_000_000L;

  private final GroupSize size = new GroupSize();

  @Test
  void suspects_answeredFast_areTriedOneByOne() {
    size.onLived(5 * MS, 100, 150);
    assertThat(size.likely()).isOne();
    assertThat(size.unlikely()).isOne();
  }

  @Test
  void groups_ofSlowRequests_growUntilTheRestTakesTwoSeconds() {
    for (int i = 0; i < 20; i++) {
      size.onLived(200 * MS, 0, 100);
    }
    assertThat(size.likely()).isEqualTo(32);
  }

  @Test
  void group_thatKilled_halvesTheNextAndPausesGrowth() {
    size.onLived(1_000 * MS, 1_000, 0);
    size.onLived(1_000 * MS, 1_000, 0);
    assertThat(size.unlikely()).isEqualTo(16);
    size.onKilled(16);
    assertThat(size.unlikely()).isEqualTo(8);
    for (int i = 0; i < 8; i++) {
      size.onLived(1_000 * MS, 1_000, 0);
    }
    assertThat(size.unlikely()).isEqualTo(8);
    size.onLived(1_000 * MS, 1_000, 0);
    assertThat(size.unlikely()).isEqualTo(32);
  }

  @Test
  void suspectAlone_thatKilled_doesNotShrinkGroups() {
    size.onLived(1_000 * MS, 1_000, 0);
    size.onKilled(1);
    assertThat(size.unlikely()).isEqualTo(4);
  }
}
