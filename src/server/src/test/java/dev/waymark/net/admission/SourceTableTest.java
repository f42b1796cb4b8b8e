package dev.waymark.net.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class SourceTableTest {
  private static final long S = TimeUnit.SECONDS.toNanos(1);

  private final SourceTable table = new SourceTable(3);

  private static InetAddress ip(String text) {
    return InetAddress.ofLiteral(text);
  }

  private Source connected(String address) {
    Source source = table.add(ip(address), 0);
    source.enter();
    return source;
  }

  @Test
  void ipv4Addresses_areSourcesOfTheirOwn() {
    Source source = connected("192.0.2.7");
    assertThat(table.find(ip("192.0.2.7"))).isSameAs(source);
    assertThat(table.find(ip("192.0.2.8"))).isNull();
  }

  @Test
  void ipv6Addresses_ofOneNetworkOf64Bits_areOneSource() {
    Source source = connected("2001:db8::1");
    assertThat(table.find(ip("2001:db8::ffff:0:0:2"))).isSameAs(source);
    assertThat(table.find(ip("2001:db8:0:1::1"))).isNull();
  }

  @Test
  void source_asText_isItsAddressOrNetwork() {
    assertThat(SourceTable.text(ip("192.0.2.7"))).isEqualTo("192.0.2.7");
    assertThat(SourceTable.text(ip("2001:db8:0:1:2:3:4:5"))).isEqualTo("2001:db8:0:1::/64");
  }

  @Test
  void fullTable_forgetsTheSourceWhoseLastAttemptIsOldest() {
    connected("192.0.2.1");
    connected("192.0.2.2");
    connected("192.0.2.3");
    assertThat(table.find(ip("192.0.2.1"))).isNotNull();
    connected("192.0.2.4");
    assertThat(table.find(ip("192.0.2.1"))).isNotNull();
    assertThat(table.find(ip("192.0.2.2"))).isNull();
    assertThat(table.size()).isEqualTo(3);
    assertThat(table.forgottenCount()).isOne();
  }

  @Test
  void forgottenSource_stillCountsItsOwnConnections() {
    Source old = connected("192.0.2.1");
    connected("192.0.2.2");
    connected("192.0.2.3");
    connected("192.0.2.4");
    Source again = connected("192.0.2.1");
    table.leave(old);
    assertThat(old.connections()).isZero();
    assertThat(again.connections()).isOne();
  }

  @Test
  void blankSources_leave_evenBehindOldOnesWithConnections() {
    SourceTable large = new SourceTable(100);
    for (int i = 0; i < 10; i++) {
      large.add(ip("192.0.2." + i), 0).enter();
    }
    for (int i = 0; i < 1_000; i++) {
      Source passing = large.add(ip("2001:db8:0:" + Integer.toHexString(i) + "::1"), 0);
      passing.enter();
      large.leave(passing);
    }
    assertThat(large.forgottenCount()).isZero();
    assertThat(large.size()).isLessThan(15);
    assertThat(large.find(ip("192.0.2.0"))).isNotNull();
  }

  @Test
  void blankSources_leaveBeforeAnyIsForgotten() {
    Rate rate = Rate.read("1/s");
    Source limited = table.add(ip("192.0.2.1"), 0);
    limited.take(rate, 0);
    table.leave(connected("192.0.2.2"));
    connected("192.0.2.3");
    table.add(ip("192.0.2.4"), S / 2).enter();
    assertThat(table.find(ip("192.0.2.1"))).as("its bucket is not full").isNotNull();
    assertThat(table.find(ip("192.0.2.2"))).as("nothing to remember").isNull();
    assertThat(table.forgottenCount()).isZero();
  }

  @Test
  void randomConnections_areCountedAsInAMap() {
    SplittableRandom random = new SplittableRandom(7);
    SourceTable large = new SourceTable(1_000);
    Map<String, Integer> counts = new HashMap<>();
    Map<String, Source> sources = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      String address = "192.0.2." + random.nextInt(200);
      int open = counts.getOrDefault(address, 0);
      if (open > 0 && random.nextBoolean()) {
        table.leave(Objects.requireNonNull(sources.get(address)));
        counts.put(address, open - 1);
      } else {
        Source known = large.find(ip(address));
        assertThat(known == null ? 0 : known.connections()).isEqualTo(open);
        Source source = known == null ? large.add(ip(address), i) : known;
        source.enter();
        sources.put(address, source);
        counts.put(address, open + 1);
      }
    }
    assertThat(large.forgottenCount()).isZero();
    assertThat(large.size()).isLessThanOrEqualTo(200);
  }
}
