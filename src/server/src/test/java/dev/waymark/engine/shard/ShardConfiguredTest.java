package dev.waymark.engine.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Framing;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a shard applies a reload. */
class ShardConfiguredTest {
  private static final PoolOptions WAITING = Fixtures.pool("pool");

  private final Fixtures fixtures = new Fixtures();

  private static ListenerOptions listener(String name, long idleTimeoutMs) {
    return new ListenerOptions(name, "pool", Framing.RAW, 0, idleTimeoutMs * Fixtures.MS);
  }

  private void removeListener() {
    fixtures.shard.onListenerRemoved("listener");
  }

  private boolean removePool() {
    return fixtures.shard.removePoolIfUnused("pool");
  }

  @Test
  void listener_withNewOptions_appliesThemToNewConnectionsOnly() {
    fixtures.acknowledgingLane();
    fixtures.accept();
    fixtures.shard.onConfigured(fixtures.nowNs, List.of(), List.of(listener("listener", 500)));
    fixtures.passMs(1_000);
    assertThat(fixtures.effects).doesNotContain("Close IDLE_TIMEOUT");
    fixtures.accept();
    fixtures.passMs(1_000);
    assertThat(fixtures.effects).containsOnlyOnce("Close IDLE_TIMEOUT");
  }

  @Test
  void pool_withNewOptions_keepsItsLanes() {
    fixtures.acknowledgingLane();
    fixtures.takeEffects();
    PoolOptions impatient =
        new PoolOptions("pool", PoolOptions.Acknowledge.AUTO, 0, 0, PoolOptions.Moving.DEFAULTS);
    fixtures.shard.onConfigured(
        fixtures.nowNs,
        List.of(new PoolSetup(impatient, fixtures, new PoisonQuarantine(() -> fixtures.nowNs))),
        List.of());
    assertThat(fixtures.takeEffects()).isEmpty();
    fixtures.upstreams("!a:1");
    fixtures.accept();
    assertThat(fixtures.effects).contains("FIN");
  }

  @Test
  void pool_usedByAListener_isNotRemoved() {
    fixtures.acknowledgingLane();
    assertThat(removePool()).isFalse();
  }

  @Test
  void pool_withAConnection_isRemovedAfterItEnds() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    removeListener();
    assertThat(removePool()).isFalse();
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    fixtures.takeEffects();
    assertThat(removePool()).isTrue();
    assertThat(fixtures.takeEffects()).containsExactly("finish a:1");
    assertThat(fixtures.forgotten).containsExactly("a:1");
    assertThat(fixtures.shard.lanes()).isEmpty();
  }

  @Test
  void pool_withAWaitingConnection_isNotRemoved() {
    fixtures.accept();
    removeListener();
    assertThat(removePool()).isFalse();
    fixtures.acknowledgingLane();
    assertThat(fixtures.effects).contains("Open");
  }

  @Test
  void pool_addedAgain_startsFresh() {
    fixtures.acknowledgingLane();
    removeListener();
    assertThat(removePool()).isTrue();
    assertThat(removePool()).isTrue();
    fixtures.shard.onConfigured(
        fixtures.nowNs,
        List.of(new PoolSetup(WAITING, fixtures, new PoisonQuarantine(() -> fixtures.nowNs))),
        List.of(listener("listener", 0)));
    fixtures.takeEffects();
    fixtures.acknowledgingLane();
    fixtures.accept();
    assertThat(fixtures.effects).contains("connect a:1", "Open");
  }
}
