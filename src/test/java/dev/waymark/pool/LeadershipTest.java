package dev.waymark.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LeadershipTest {
  private final Leadership leadership = new Leadership();

  @Test
  void leader_isWhoTurnedServingLast() {
    assertThat(leadership.leader()).isEmpty();
    leadership.onHealth("a", true);
    assertThat(leadership.leader()).hasValue("a");
    leadership.onHealth("b", true);
    assertThat(leadership.leader()).hasValue("b");
    assertThat(leadership.isFormerLeader("a")).isTrue();
    leadership.onHealth("a", true);
    assertThat(leadership.leader()).as("it only says again what it said").hasValue("b");
  }

  @Test
  void leader_thatServesNoLonger_isFollowedByTheLatestOfTheOthers() {
    leadership.onHealth("a", true);
    leadership.onHealth("b", true);
    leadership.onHealth("c", true);
    leadership.onHealth("c", false);
    assertThat(leadership.leader()).hasValue("b");
    assertThat(leadership.isFormerLeader("c")).isTrue();
    leadership.onHealth("b", false);
    leadership.onHealth("a", false);
    assertThat(leadership.leader()).isEmpty();
    assertThat(leadership.isFormerLeader("b")).isTrue();
  }

  @Test
  void upstream_thatNeverServed_isNoFormerLeader() {
    leadership.onHealth("a", false);
    assertThat(leadership.isFormerLeader("a")).isFalse();
  }

  @Test
  void leader_gone_isForgotten() {
    leadership.onHealth("a", true);
    leadership.onHealth("b", true);
    leadership.onGone("b");
    assertThat(leadership.leader()).hasValue("a");
    assertThat(leadership.isFormerLeader("b")).isFalse();
  }
}
