package dev.waymark.engine.lane;

import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.FOLLOWING;
import static dev.waymark.engine.shard.MovingFixtures.RESUMING_AT_MOST_ONCE;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult.Outcome;
import dev.waymark.protocol.UpstreamControl;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Owners whose Settings say {@code pinned} (rule 5): windows without replay. */
class PinnedTest {
  private Fixtures fixtures = with(STEADY);

  @Test
  void connection_whoseLaneBreaks_endsWithUpstreamLost() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(5));
    fixtures.broken(Fixtures.owner(connection));
    assertEnded(connection, CloseReason.UPSTREAM_LOST);
  }

  @Test
  void connection_whoseLaneBreaksBeforeAnyAnswer_isNotReplayedEither() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    fixtures.broken(Fixtures.owner(connection));
    assertEnded(connection, CloseReason.UPSTREAM_LOST);
  }

  @Test
  void connection_ofAPoolThatReopens_endsAllTheSame() {
    fixtures = with(RESUMING_AT_MOST_ONCE);
    Connection connection = acceptPinned();
    fixtures.broken(Fixtures.owner(connection));
    assertEnded(connection, CloseReason.UPSTREAM_LOST);
  }

  @Test
  void bytes_sentToAServedSession_areNotKept() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    assertThat(connection.heldBytes()).as("may still be refused").isPositive();
    fixtures.answer(connection, fixtures.frame(connection).consumed(5));
    assertThat(connection.heldBytes()).isZero();
    fixtures.data(connection, 20);
    assertThat(connection.heldBytes()).isZero();
  }

  @Test
  void bytes_notConsumed_fillTheWindow() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(10));
    fixtures.data(connection, Fixtures.WINDOW + 30);
    assertThat(connection.sentOffset()).isEqualTo(10 + Fixtures.WINDOW);
    assertThat(connection.heldBytes()).isEqualTo(30 + Fixtures.BUFFER_OVERHEAD);
    fixtures.answer(connection, fixtures.frame(connection).consumed(20));
    assertThat(connection.sentOffset()).isEqualTo(20 + Fixtures.WINDOW);
    fixtures.answer(connection, fixtures.frame(connection).consumed(10 + Fixtures.WINDOW));
    assertThat(connection.sentOffset()).isEqualTo(40 + Fixtures.WINDOW);
    assertThat(connection.heldBytes()).isZero();
  }

  @Test
  void replies_beyondTheLimit_areAViolation() {
    Connection connection = acceptPinned();
    fixtures.isKernelFull = true;
    fixtures.answer(
        connection, fixtures.frame(connection).payload(Fixtures.bytes(Fixtures.REPLY_WINDOW + 1)));
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .containsExactly(CloseReason.FLOW_CONTROL);
  }

  @Test
  void connection_refusedBeforeItsSessionBegan_isOpenedElsewhereWithAllItsBytes() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    fixtures.takeEffects();
    fixtures.refuse(connection);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(fixtures.opens.getLast().resumeState())
        .satisfies(reopen -> assertThat(reopen.firstOffset()).isZero());
    assertThat(connection.sentOffset()).isEqualTo(10);
  }

  @Test
  void connection_refusedAfterItsSessionBegan_endsWithThatReason() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.reply(connection, "banner"));
    fixtures.refuse(connection);
    assertEnded(connection, CloseReason.BUSY);
  }

  @Test
  void upstream_draining_keepsItsConnectionsUntilTheDrainTimeout() {
    Connection connection = acceptPinned();
    fixtures.draining(Fixtures.owner(connection));
    fixtures.takeEffects();
    fixtures.passWithPongs(59_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    assertThat(fixtures.takeEffects()).noneMatch(effect -> effect.startsWith("Release"));
    fixtures.passWithPongs(1_500);
    assertEnded(connection, CloseReason.SHUTTING_DOWN);
  }

  @Test
  void upstreamThatIsNew_getsNoneOfTheConnections() {
    fixtures = with(Moving.DEFAULTS);
    fixtures.acknowledgingLanes("a:1");
    pin(fixtures.lane());
    List<Connection> connections = List.of(fixtures.accept(), fixtures.accept());
    fixtures.upstreams("a:1", "b:1");
    fixtures.lane().onReady(fixtures.nowNs);
    pin(fixtures.lane());
    fixtures.passWithPongs(5_000);
    assertThat(connections).allMatch(connection -> ownerAddress(connection).equals("a:1"));
  }

  @Test
  void leaderThatIsNew_getsNoneOfTheConnections() {
    fixtures = with(FOLLOWING);
    Connection connection = acceptPinned();
    fixtures.upstreams("!a:1", "b:1");
    fixtures.passWithPongs(60_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
  }

  /** A TCP server may rest for as long as it likes: only the idle timeout ends that. */
  @Test
  void server_thatTakesNothingForLong_isNotTakenForStalled() {
    Connection connection = acceptPinned();
    fixtures.data(connection, Fixtures.WINDOW + 30);
    fixtures.passWithPongs(120_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
  }

  @Test
  void directions_thatHaveBothEnded_closeTheConnection() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    connection.onClientEnd(fixtures.nowNs);
    fixtures.endTurn();
    fixtures.answer(connection, fixtures.frame(connection).consumed(10).halfClose(true));
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .containsExactly(CloseReason.DONE);
  }

  /** It does not say where replies end. */
  @Test
  void push_behindBytesWithoutConsumed_isWritten() {
    Connection connection = acceptPinned();
    fixtures.answer(connection, fixtures.reply(connection, "part"));
    assertThat(fixtures.push(connection, "pushed")).isEqualTo(Outcome.WRITTEN);
  }

  /** The last Settings count, but what was forgotten cannot be sent again. */
  @Test
  void connectionWhoseSessionHasBegun_staysPinned_afterOtherSettings() {
    Connection connection = acceptPinned();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(5));
    fixtures.settings(Fixtures.owner(connection));
    fixtures.data(connection, 10);
    fixtures.draining(Fixtures.owner(connection));
    fixtures.passWithPongs(1_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    fixtures.broken(Fixtures.owner(connection));
    assertEnded(connection, CloseReason.UPSTREAM_LOST);
  }

  @Test
  void lane_ofSuchAnUpstream_isShownAsPinned() {
    Connection connection = acceptPinned();
    assertThat(Fixtures.owner(connection).status().mode()).isEqualTo("pinned");
  }

  /** Two upstreams that pin connections; the first one owns the connection. */
  private Connection acceptPinned() {
    fixtures.acknowledgingLanes("a:1", "b:1").forEach(this::pin);
    Connection connection = fixtures.accept();
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    return connection;
  }

  private void pin(Lane lane) {
    fixtures.control(lane, new UpstreamControl.Settings(1, 0, false, true));
  }

  private void assertEnded(Connection connection, CloseReason reason) {
    assertThat(ownerAddress(connection)).isEqualTo("nobody");
    connection.onClientEnd(fixtures.nowNs);
    fixtures.endTurn();
    assertThat(fixtures.summaries).extracting(ConnectionSummary::reason).containsExactly(reason);
  }
}
