package dev.waymark.engine.pool;

import static dev.waymark.engine.shard.Fixtures.owner;
import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.lane.UpstreamView.Subset;
import dev.waymark.engine.shard.Fixtures;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Upstream b:1 stands by for a:1. Shards see earlier than the control plane which of them serves.
 */
class PriorityTest {
  private final Fixtures fixtures = with(STEADY);
  private final Lane main;
  private final Lane backup;

  PriorityTest() {
    fixtures.views("pool", List.of(view("a:1", 0), view("b:1", 1)));
    main = fixtures.lanes.getFirst();
    backup = fixtures.lanes.getLast();
    fixtures.settings(backup);
    fixtures.settings(main);
  }

  private static UpstreamView view(String address, int priority) {
    UpstreamState state = priority == 0 ? UpstreamState.SERVING : UpstreamState.STANDBY;
    return new UpstreamView(address, state, "", 1, 100, priority, Subset.WHOLE, Map.of());
  }

  @Test
  void connections_goToTheFirstPriority() {
    for (int i = 0; i < 10; i++) {
      assertThat(ownerAddress(fixtures.accept())).isEqualTo("a:1");
    }
  }

  @Test
  void connections_goToTheBackup_whileTheFirstHasNoLane_andBack() {
    Connection connection = fixtures.accept();
    fixtures.broken(main);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(ownerAddress(fixtures.accept())).isEqualTo("b:1");
    fixtures.passWithPongs(1_000);
    fixtures.settings(fixtures.lane());
    assertThat(ownerAddress(fixtures.accept())).as("the first is back").isEqualTo("a:1");
    fixtures.passWithPongs(1_000);
    fixtures.released(connection, 0);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
  }

  /** Its health service may go on saying that it serves. */
  @Test
  void connections_leaveTheFirst_whenItSaysDrainingOnItsLane() {
    Connection connection = fixtures.accept();
    fixtures.draining(main);
    fixtures.released(connection, 0);
    assertThat(owner(connection)).isSameAs(backup);
    assertThat(owner(fixtures.accept())).isSameAs(backup);
    fixtures.passWithPongs(3_000);
    assertThat(owner(connection)).as("not sent back").isSameAs(backup);
  }

  @Test
  void connections_stay_whenAllDrain() {
    Connection connection = fixtures.accept();
    fixtures.draining(main);
    fixtures.draining(backup);
    fixtures.takeEffects();
    fixtures.passWithPongs(3_000);
    assertThat(fixtures.takeEffects()).doesNotContain("Release");
    assertThat(owner(connection)).isIn(main, backup);
  }

  @Test
  void laneOfABackup_thatGoesAway_isReplacedInAdvance() {
    fixtures.passWithPongs(1_000);
    backup.onGoAway();
    fixtures.passWithPongs(200);
    assertThat(fixtures.lane()).isNotIn(main, backup);
    assertThat(fixtures.lane().upstream().address()).isEqualTo("b:1");
  }
}
