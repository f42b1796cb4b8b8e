package dev.waymark.engine.connection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.Framing;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class FirstByteTest {
  private static final String CLOSE = "Close FIRST_BYTE_TIMEOUT";

  private final Fixtures fixtures =
      new Fixtures(
          List.of(Fixtures.pool("pool")),
          List.of(
              new ListenerOptions(
                  "listener",
                  "pool",
                  Framing.RAW,
                  0,
                  0,
                  1000 * Fixtures.MS,
                  Set.of(),
                  AgeOptions.OFF)),
          10_000,
          1);

  @Test
  void client_thatSendsNothing_isClosedInTime() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.passMs(900);
    assertThat(fixtures.effects).doesNotContain(CLOSE);
    fixtures.passMs(300);
    connection.onClientEnd(fixtures.nowNs);
    fixtures.endTurn();
    assertThat(fixtures.effects)
        .endsWith(CLOSE, "FIN", "close", "closed FIRST_BYTE_TIMEOUT by BRIDGE");
  }

  @Test
  void client_thatHasSentAByte_mayBeSilent() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.passMs(900);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(1), false);
    fixtures.passMs(60_000);
    assertThat(fixtures.effects).doesNotContain(CLOSE);
  }

  @Test
  void client_thatHasSentTheStartOfAMessage_mayBeSilent() {
    fixtures.acknowledgingLane();
    fixtures.accept().onClientPartial(fixtures.nowNs, 1);
    fixtures.passMs(60_000);
    assertThat(fixtures.effects).doesNotContain(CLOSE);
  }

  @Test
  void client_thatOnlyReceives_isClosed() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.passMs(900);
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(3)));
    fixtures.passMs(300);
    assertThat(fixtures.effects).contains(CLOSE, "FIN");
  }

  @Test
  void client_thatOnlyEnds_isClosed() {
    fixtures.acknowledgingLane();
    fixtures.accept().onClientEnd(fixtures.nowNs);
    fixtures.passMs(1200);
    assertThat(fixtures.effects).contains(CLOSE, "FIN");
  }

  @Test
  void client_thatWaitsForAnUpstream_isClosedAsWell() {
    fixtures.accept();
    fixtures.passMs(1200);
    assertThat(fixtures.effects).contains("FIN");
  }
}
