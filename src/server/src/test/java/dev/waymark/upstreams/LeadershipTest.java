package dev.waymark.upstreams;

import static dev.waymark.upstreams.UpstreamHealth.NOT_SERVING;
import static dev.waymark.upstreams.UpstreamHealth.SERVING;
import static dev.waymark.upstreams.UpstreamHealth.UNREACHABLE;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LeadershipTest {
  private final Leadership leadership = new Leadership();

  @Test
  void leader_isTheLastToTurnServing() {
    assertThat(leadership.leader()).isEmpty();
    leadership.onHealth("a", SERVING);
    assertThat(leadership.leader()).hasValue("a");
    leadership.onHealth("b", SERVING);
    assertThat(leadership.leader()).hasValue("b");
    assertThat(leadership.isFormerLeader("a")).isTrue();
    leadership.onHealth("a", SERVING);
    assertThat(leadership.leader()).as("it only repeats its status").hasValue("b");
  }

  @Test
  void leader_thatStopsServing_isReplacedByTheLatestOther() {
    leadership.onHealth("a", SERVING);
    leadership.onHealth("b", SERVING);
    leadership.onHealth("c", SERVING);
    leadership.onHealth("c", NOT_SERVING);
    assertThat(leadership.leader()).hasValue("b");
    assertThat(leadership.isFormerLeader("c")).isTrue();
    leadership.onHealth("b", NOT_SERVING);
    leadership.onHealth("a", NOT_SERVING);
    assertThat(leadership.leader()).isEmpty();
    assertThat(leadership.isFormerLeader("b")).isTrue();
  }

  @Test
  void upstream_thatNeverServed_isNotAFormerLeader() {
    leadership.onHealth("a", NOT_SERVING);
    assertThat(leadership.isFormerLeader("a")).isFalse();
  }

  @Test
  void leader_gone_isForgotten() {
    leadership.onHealth("a", SERVING);
    leadership.onHealth("b", SERVING);
    leadership.onGone("b");
    assertThat(leadership.leader()).hasValue("a");
    assertThat(leadership.isFormerLeader("b")).isFalse();
  }

  @Test
  void formerLeader_whoseWatchIsRestored_doesNotReplaceTheNewerOne() {
    leadership.onHealth("a", SERVING);
    leadership.onHealth("a", UNREACHABLE);
    assertThat(leadership.leader()).isEmpty();
    leadership.onHealth("b", SERVING);
    leadership.onHealth("a", SERVING);
    assertThat(leadership.leader()).hasValue("b");
    assertThat(leadership.isFormerLeader("a")).isTrue();
  }

  @Test
  void leader_whoseWatchIsRestored_leadsAgain() {
    leadership.onHealth("a", SERVING);
    leadership.onHealth("b", SERVING);
    leadership.onHealth("b", UNREACHABLE);
    assertThat(leadership.leader()).as("better than none").hasValue("a");
    leadership.onHealth("b", SERVING);
    assertThat(leadership.leader()).hasValue("b");
  }

  @Test
  void unreachableUpstream_thatStopsServingOrIsGone_losesItsPlace() {
    leadership.onHealth("a", SERVING);
    leadership.onHealth("b", SERVING);
    leadership.onHealth("a", UNREACHABLE);
    leadership.onHealth("a", NOT_SERVING);
    leadership.onHealth("a", SERVING);
    assertThat(leadership.leader()).as("it turned SERVING again").hasValue("a");
    leadership.onHealth("b", UNREACHABLE);
    leadership.onGone("b");
    leadership.onHealth("b", SERVING);
    assertThat(leadership.leader()).as("a new upstream with the same address").hasValue("b");
  }
}
