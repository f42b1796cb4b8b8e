package dev.waymark.net.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SourceBucketsTest {
  private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);
  private static final long START_NS = -5 * SECOND_NS;
  private static final InetAddress IPV4 = InetAddress.ofLiteral("192.0.2.7");

  private final SourceBuckets buckets = new SourceBuckets(Rate.read("10/s"), 7, START_NS);

  @Test
  void network_hasItsRate_andTheWholeOfItAfterAPause() {
    assertThat(taken(IPV4, START_NS, 100)).isEqualTo(10);
    assertThat(taken(IPV4, START_NS + SECOND_NS / 10, 100)).isEqualTo(1);
    assertThat(taken(IPV4, START_NS + 5 * SECOND_NS, 100)).isEqualTo(10);
  }

  @Test
  void addresses_ofOneNetwork_shareIt() {
    assertThat(taken(IPV4, START_NS, 10)).isEqualTo(10);
    assertThat(taken(InetAddress.ofLiteral("192.0.2.255"), START_NS, 1)).isZero();
    assertThat(taken(InetAddress.ofLiteral("192.0.3.7"), START_NS, 100)).isEqualTo(10);

    assertThat(taken(InetAddress.ofLiteral("2001:db8::1"), START_NS, 100)).isEqualTo(10);
    assertThat(taken(InetAddress.ofLiteral("2001:db8:0:ff:1::"), START_NS, 1)).isZero();
    assertThat(taken(InetAddress.ofLiteral("2001:db8:0:100::1"), START_NS, 100)).isEqualTo(10);
  }

  @Test
  void networks_areSpreadOverTheBuckets() {
    int denied = 0;
    int networks = SourceBuckets.BUCKETS / 8;
    for (int i = 0; i < networks; i++) {
      InetAddress source = InetAddress.ofLiteral("10." + i / 256 + "." + i % 256 + ".1");
      denied += 10 - taken(source, START_NS, 10);
    }
    // One in sixteen shares its bucket, if the hash is as good as chance.
    assertThat(denied).isLessThan(networks * 10 / 8);
  }

  private int taken(InetAddress source, long nowNs, int attempts) {
    int taken = 0;
    for (int i = 0; i < attempts; i++) {
      taken += buckets.take(source, nowNs) ? 1 : 0;
    }
    return taken;
  }
}
