package dev.waymark.net.listener;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class DescriptorLimitTest {
  @Test
  void limit_whenFull_isReachedUntilAClientLeaves() {
    DescriptorLimit limit = new DescriptorLimit(2);
    limit.enter();
    assertThat(limit.isReached()).isFalse();
    limit.enter();
    assertThat(limit.isReached()).isTrue();
    limit.leave();
    assertThat(limit.isReached()).isFalse();
  }

  @Test
  void limit_ofThisProcess_hasRoomForAClient() {
    assertThat(DescriptorLimit.ofProcess().isReached()).isFalse();
  }
}
