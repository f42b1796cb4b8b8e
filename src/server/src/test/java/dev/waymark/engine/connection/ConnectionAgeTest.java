package dev.waymark.engine.connection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ConnectionAgeTest {
  private static final long SECOND = 1000 * Fixtures.MS;
  private static final AgeOptions LIMITED = new AgeOptions(100 * SECOND, 10, 20 * SECOND);

  private final Fixtures fixtures = new Fixtures(LIMITED);

  /** Returns a connection with an acknowledging owner. */
  private Connection connected() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.takeEffects();
    return connection;
  }

  /** Lets time pass while the upstream answers Pings. */
  private void pass(long ms) {
    for (long leftMs = ms; leftMs > 0; leftMs -= 500) {
      fixtures.passMs(Math.min(500, leftMs));
      fixtures.receive(new UpstreamFrame().clear().control(new UpstreamControl.Pong(leftMs)));
    }
  }

  @Test
  void connection_quietAtItsMaxAge_endsWithFin() {
    connected();
    pass(89_000);
    assertThat(fixtures.effects).doesNotContain("FIN");
    pass(11_200);
    assertThat(fixtures.effects).contains("Close CONNECTION_AGE", "FIN");
  }

  @Test
  void connection_withAMessagePending_endsWhenTheReplyIsWritten() {
    Connection connection = connected();
    pass(89_000);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(5), false);
    pass(15_000);
    fixtures.isKernelFull = true;
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(9)).consumed(5));
    assertThat(fixtures.effects).doesNotContain("Close CONNECTION_AGE");
    fixtures.isKernelFull = false;
    fixtures.socket(connection).drain();
    fixtures.endTurn();
    assertThat(fixtures.effects).containsSubsequence("written 9", "Close CONNECTION_AGE", "FIN");
  }

  @Test
  void connection_inTheMiddleOfAReply_doesNotEnd() {
    Connection connection = connected();
    pass(89_000);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(5), false);
    pass(12_000);
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(9)));
    assertThat(fixtures.effects).contains("written 9").doesNotContain("FIN");
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(3)).consumed(5));
    assertThat(fixtures.effects).containsSubsequence("written 3", "FIN");
  }

  @Test
  void connection_inTheMiddleOfAMessage_doesNotEnd() {
    Connection connection = connected();
    connection.onClientPartial(fixtures.nowNs, 3);
    pass(105_000);
    assertThat(fixtures.effects).doesNotContain("FIN");
    connection.onClientPartial(fixtures.nowNs, 0);
    pass(1_200);
    assertThat(fixtures.effects).contains("FIN");
  }

  @Test
  void connection_neverQuiet_endsAfterTheGraceTime() {
    Connection connection = connected();
    pass(89_000);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(5), false);
    pass(20_000);
    fixtures.receive(fixtures.frame(connection));
    assertThat(fixtures.effects).doesNotContain("FIN");
    pass(11_200);
    assertThat(fixtures.effects).contains("Close CONNECTION_AGE", "FIN");
  }

  @Test
  void connection_ofAnAtMostOnceUpstream_endsAfterASilence() {
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    fixtures.receive(fixtures.frame(connection));
    pass(89_500);
    for (int i = 0; i < 24; i++) {
      fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(3)));
      pass(500);
    }
    assertThat(fixtures.effects).doesNotContain("FIN");
    pass(1_700);
    assertThat(fixtures.effects).contains("Close CONNECTION_AGE", "FIN");
  }

  @Test
  void connection_withoutOwner_endsToo() {
    Fixtures unserved = new Fixtures(new AgeOptions(2 * SECOND, 0, SECOND));
    unserved.accept();
    unserved.passMs(2_200);
    assertThat(unserved.summaries)
        .isEmpty(); // The socket lingers until its client has closed its side.
    assertThat(unserved.effects).contains("FIN").doesNotContain("Close CONNECTION_AGE");
  }

  @Test
  void ages_ofManyConnections_areSpreadByTheJitter() {
    int[] tenths = new int[10];
    for (int i = 1; i <= 1_000; i++) {
      ConnectionAge age = new ConnectionAge(LIMITED, new Mark(7, i), 0);
      long early = 100 * SECOND - age.deadlineNs();
      assertThat(early).isBetween(0L, 10 * SECOND);
      tenths[(int) Math.min(9, early / SECOND)]++;
    }
    assertThat(IntStream.of(tenths)).allMatch(count -> count > 60 && count < 140);
  }

  @Test
  void drain_ofManyConnections_spreadsTheirEndsAndLeavesGraceTime() {
    int[] thirds = new int[3];
    for (int i = 1; i <= 900; i++) {
      ConnectionAge age = new ConnectionAge(LIMITED, new Mark(7, i), 0);
      age.onDrain(SECOND, 40 * SECOND);
      long from = age.deadlineNs() - SECOND;
      assertThat(from).isBetween(0L, 30 * SECOND);
      assertThat(age.isOver(SECOND + from + 10 * SECOND)).isTrue();
      assertThat(age.isOver(SECOND + from + 9 * SECOND)).isFalse();
      thirds[(int) Math.min(2, from / (10 * SECOND))]++;
    }
    assertThat(IntStream.of(thirds)).allMatch(count -> count > 220 && count < 380);
  }

  @Test
  void drain_ofAnOverdueConnection_letsItsReplyFinish() {
    Connection connection = connected();
    pass(89_000);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(5), false);
    pass(12_000);
    fixtures.shard.onDrain(fixtures.nowNs, 4 * SECOND);
    pass(800);
    assertThat(fixtures.effects).doesNotContain("FIN");
    pass(500);
    assertThat(fixtures.effects).contains("FIN");
  }
}
