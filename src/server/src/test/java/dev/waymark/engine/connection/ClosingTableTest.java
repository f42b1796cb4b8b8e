package dev.waymark.engine.connection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.CloseReason;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks every row of the {@link ClosingTable}. */
class ClosingTableTest {
  static Stream<ClosingRow> rows() {
    return ClosingTable.rows();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void connection_afterTheEvents_hasExactlyTheseEffects(ClosingRow row) {
    ClosingWorld world = new ClosingWorld();
    row.events()
        .forEach(event -> {
          event.action().accept(world);
          world.fixtures.endTurn();
        });
    assertThat(world.fixtures.effects)
        .as(() -> row + " " + world.fixtures.shard.connections(9))
        .containsExactlyElementsOf(row.allEffects());
    assertThat(world.fixtures.shard.connectionCount()).isZero();
  }

  @Test
  void table_asAWhole_coversEveryReasonButThoseTestedElsewhere() {
    Set<CloseReason> missing = EnumSet.allOf(CloseReason.class);
    rows().forEach(row -> missing.remove(row.reason()));
    // Timeouts and refusals are tested in OwnerClocksTest, ReopenTest, ConnectionTest and LaneTest;
    // FENCED and MOVED end an attachment, never a connection.
    assertThat(missing)
        .containsExactlyInAnyOrder(
            CloseReason.BUSY,
            CloseReason.NOT_HERE,
            CloseReason.SHUTTING_DOWN,
            CloseReason.FENCED,
            CloseReason.IDLE_TIMEOUT,
            CloseReason.UNKNOWN_CONNECTION,
            CloseReason.WINDOW_STALLED,
            CloseReason.INTERNAL,
            CloseReason.MOVED,
            // ConnectionAgeTest
            CloseReason.CONNECTION_AGE,
            // FirstByteTest
            CloseReason.FIRST_BYTE_TIMEOUT,
            // TlsListenerIT; to the engine the same as CLIENT_RESET
            CloseReason.CLIENT_TRUNCATED,
            CloseReason.TLS_IDENTITY_REVOKED,
            CloseReason.TLS_IDENTITY_EXPIRED,
            CloseReason.TLS_ERROR);
  }
}
