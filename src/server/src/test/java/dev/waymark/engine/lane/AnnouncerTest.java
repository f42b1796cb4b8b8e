package dev.waymark.engine.lane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.shard.FakeSocket;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.UpstreamControl;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Announcements (rule 6): what a lane is told about connections that it does not own. */
class AnnouncerTest {
  private Fixtures fixtures = new Fixtures();

  @Test
  void lane_thatWantsAnnouncements_getsAllConnectionsThenChanges() {
    fixtures.acknowledgingLane();
    Connection first = fixtures.accept();
    fixtures.accept();
    fixtures.takeEffects();
    fixtures.laneOf("pool", "b:1", true);
    assertThat(announced())
        .startsWith("Syncing")
        .endsWith("Synced")
        .containsExactlyInAnyOrder("Syncing", "Opened 1 listener", "Opened 2 listener", "Synced");
    fixtures.accept();
    first.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(announced()).containsExactly("Opened 3 listener", "Closed 1 CLIENT_RESET");
    assertThat(fixtures.counters.total(Counter.ANNOUNCEMENTS_SENT)).isEqualTo(4);
  }

  @Test
  void lane_repeatingSettings_getsAnnouncementsUntilItDeclinesThem() {
    Lane lane = fixtures.laneOf("pool", "a:1", true);
    fixtures.accept();
    assertThat(announced()).containsExactly("Syncing", "Synced", "Opened 1 listener");
    fixtures.control(lane, new UpstreamControl.Settings(1, 0, true, false));
    fixtures.accept();
    assertThat(announced()).containsExactly("Opened 2 listener");
    fixtures.control(lane, new UpstreamControl.Settings(1, 0, false, false));
    fixtures.accept();
    assertThat(announced()).isEmpty();
    fixtures.control(lane, new UpstreamControl.Settings(1, 0, true, false));
    assertThat(announced()).startsWith("Syncing").endsWith("Synced").hasSize(5);
  }

  @Test
  void lane_thatWantsNoAnnouncements_getsNone() {
    fixtures.acknowledgingLane();
    fixtures.accept().onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(announced()).isEmpty();
  }

  @Test
  void lane_ofAPool_getsAnnouncementsOfTheListenersThatItMayPushTo() {
    fixtures =
        new Fixtures(
            List.of(Fixtures.pool("one"), Fixtures.pool("two")),
            List.of(
                Fixtures.listener("first", "one", 0, "two"), Fixtures.listener("second", "two", 0)),
            10_000,
            1);
    fixtures.accept("first");
    fixtures.accept("second");
    fixtures.laneOf("one", "a:1", true);
    assertThat(announced()).containsExactly("Syncing", "Opened 1 first", "Synced");
    fixtures.laneOf("two", "b:1", true);
    assertThat(announced())
        .containsExactlyInAnyOrder("Syncing", "Opened 1 first", "Opened 2 second", "Synced");
    fixtures.accept("second").onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(announced()).containsExactly("Opened 3 second", "Closed 3 CLIENT_RESET");
  }

  @Test
  void manyConnections_areAnnouncedOverSeveralTurns() {
    fixtures.acknowledgingLane();
    List<Connection> connections = accept(2 * Announcer.TURN_COUNT_MAX);
    fixtures.laneOf("pool", "b:1", true);
    assertThat(announced()).hasSize(Announcer.TURN_COUNT_MAX);
    connections.getLast().onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    Connection newest = fixtures.accept();
    List<String> rest = new ArrayList<>(announced());
    fixtures.endTurn();
    rest.addAll(announced());
    assertThat(rest)
        .startsWith(
            "Closed " + connections.getLast().sequence() + " CLIENT_RESET",
            "Opened " + newest.sequence() + " listener")
        .endsWith("Synced")
        .doesNotContain("Opened " + connections.getLast().sequence() + " listener")
        .doesNotHaveDuplicates();
  }

  @Test
  void changes_overflowingTheQueue_causeAResync() {
    fixtures.laneOf("pool", "b:1", true);
    announced();
    fixtures.isWritable = false;
    fixtures.accept();
    announced();
    for (int i = 0; i <= Announcer.WAITING_MAX / 2; i++) {
      fixtures.shard.onAccepted(fixtures.nowNs, 1, "listener", new FakeSocket(fixtures));
    }
    assertThat(announced()).isEmpty();
    assertThat(fixtures.counters.total(Counter.ANNOUNCEMENT_RESYNCS)).isZero();
    accept(Announcer.WAITING_MAX / 2 + 1);
    assertThat(fixtures.counters.total(Counter.ANNOUNCEMENT_RESYNCS)).isEqualTo(1);
    fixtures.isWritable = true;
    fixtures.lane().onReady(fixtures.nowNs);
    List<String> resync = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      fixtures.endTurn();
      resync.addAll(announced());
    }
    assertThat(resync).startsWith("Syncing").endsWith("Synced").doesNotHaveDuplicates();
    assertThat(resync).hasSize(fixtures.shard.connectionCount() + 2);
  }

  @Test
  void lane_broken_getsNoAnnouncements() {
    Lane lane = fixtures.laneOf("pool", "b:1", true);
    lane.onBroken(fixtures.nowNs, "a test");
    announced();
    fixtures.accept();
    assertThat(announced()).isEmpty();
  }

  private List<Connection> accept(int count) {
    List<Connection> accepted = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      FakeSocket socket = new FakeSocket(fixtures);
      socket.connection = fixtures.shard.onAccepted(fixtures.nowNs, 1, "listener", socket);
      accepted.add(socket.connection);
    }
    return accepted;
  }

  private List<String> announced() {
    return fixtures.takeEffects().stream()
        .filter(effect -> effect.matches("(Opened|Closed|Sync).*"))
        .toList();
  }
}
