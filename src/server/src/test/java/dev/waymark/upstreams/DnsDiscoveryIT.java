package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Discovery against the test's own DNS server. The upstreams found are loopback addresses without a
 * listener.
 */
class DnsDiscoveryIT {
  private static final MultiThreadIoEventLoopGroup GROUP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  private final TestDnsServer dns = new TestDnsServer(GROUP.next());

  @AfterEach
  void closeServer() {
    dns.close();
  }

  @AfterAll
  static void endLoop() {
    GROUP.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void name_gainsAndLosesAddresses_snapshotFollowsInOrder() {
    dns.addresses = List.of("127.0.0.10", "127.0.0.2");
    try (var pool = pool("backend.test")) {
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.10:9");
      dns.addresses = List.of("127.0.0.3", "::1", "127.0.0.10", "127.0.0.2");
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9", "127.0.0.10:9", "[::1]:9");
      dns.addresses = List.of("127.0.0.3");
      pool.awaitAddresses("127.0.0.3:9");

      assertThat(pool.events)
          .contains("found [::1]:9", "gone [::1]:9", "gone 127.0.0.2:9", "gone 127.0.0.10:9");
      assertThat(pool.manager.socketAddress("127.0.0.3:9"))
          .contains(new InetSocketAddress("127.0.0.3", 9));
      assertThat(pool.manager.socketAddress("127.0.0.2:9")).isEmpty();
      List<Long> versions = pool.snapshots.stream().map(PoolSnapshot::version).toList();
      assertThat(versions.subList(0, 3)).isEqualTo(LongStream.of(1, 2, 3).boxed().toList());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = TestDnsServer.Mode.class,
      names = {"SILENT", "SERVFAIL", "NXDOMAIN", "REFUSED", "INCOMPLETE"})
  void server_failing_keepsKnownUpstreams(TestDnsServer.Mode failing) {
    dns.addresses = List.of("127.0.0.2");
    try (var pool = pool("backend.test")) {
      pool.awaitAddresses("127.0.0.2:9");
      dns.mode = failing;
      pool.awaitEvent(
          "failed backend.test "
              + switch (failing) {
                case SILENT -> "no answer from name server " + dns.address() + " within 2 s";
                case NXDOMAIN -> "the name does not exist (NXDOMAIN)";
                case REFUSED -> "name server " + dns.address() + " refused the query (REFUSED)";
                case INCOMPLETE ->
                    "the answer from name server " + dns.address() + " is incomplete";
                default -> "name server " + dns.address() + " answered " + failing;
              });
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");

      dns.addresses = List.of("127.0.0.3");
      dns.mode = TestDnsServer.Mode.ANSWER;
      pool.awaitAddresses("127.0.0.3:9");
    }
  }

  @Test
  void answer_empty_keepsKnownUpstreams() {
    dns.addresses = List.of("127.0.0.2");
    try (var pool = pool("backend.test")) {
      pool.awaitAddresses("127.0.0.2:9");
      dns.addresses = List.of();
      pool.awaitEvent("failed backend.test the name has no address");
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
    }
  }

  @Test
  void oneFamily_unanswered_keepsItsAddressesAndUpdatesTheOther() {
    dns.addresses = List.of("127.0.0.2", "::1");
    try (var pool = pool("backend.test")) {
      pool.awaitAddresses("127.0.0.2:9", "[::1]:9");
      dns.isSilentForIpv6 = true;
      dns.addresses = List.of("127.0.0.3");
      pool.awaitAddresses("127.0.0.3:9", "[::1]:9");
    }
  }

  @Test
  void answer_truncated_isRetriedOverTcp() {
    dns.mode = TestDnsServer.Mode.TRUNCATE_UDP;
    dns.addresses = List.of("127.0.0.2", "127.0.0.3");
    try (var pool = pool("backend.test")) {
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
    }
  }

  @Test
  void ttl_decidesWhenTheNameIsResolvedAgain() {
    dns.addresses = List.of("127.0.0.2");
    dns.ttlSeconds = 1;
    try (var pool = pool("backend.test", Duration.ofMinutes(5))) {
      pool.awaitAddresses("127.0.0.2:9");
      long startNs = System.nanoTime();
      await().atMost(Duration.ofSeconds(10)).until(() -> dns.ipv4QueryCount.get() >= 3);
      assertThat(Duration.ofNanos(System.nanoTime() - startNs))
          .isBetween(Duration.ofMillis(1_500), Duration.ofSeconds(5));
    }
  }

  @Test
  void upstreamLost_resolvesAtOnce_butOnlyOnceASecond() {
    dns.addresses = List.of("127.0.0.2");
    dns.ttlSeconds = 300;
    try (var pool = pool("backend.test", Duration.ofMinutes(5))) {
      pool.awaitAddresses("127.0.0.2:9");
      dns.addresses = List.of("127.0.0.3");
      for (int i = 0; i < 100; i++) {
        pool.manager.onOutlierSignal("127.0.0.2:9", OutlierSignal.LANE_BROKEN);
      }
      pool.awaitAddresses("127.0.0.3:9");
      assertThat(dns.ipv4QueryCount.get()).isEqualTo(2);
    }
  }

  @Test
  void hostsFile_takesPrecedenceOverDns() {
    try (var pool = pool("localhost")) {
      await().until(() -> pool.addresses().contains("127.0.0.1:9"));
      assertThat(dns.ipv4QueryCount.get()).isZero();
    }
  }

  @Test
  void fixedName_keepsItsNameAndIsResolved() {
    try (var pool =
        new RecordedPool(p -> p.target = Fixtures.fixed("localhost:9", "127.0.0.2:9"))) {
      pool.awaitHealths("localhost:9 UNREACHABLE -", "127.0.0.2:9 UNREACHABLE -");
      assertThat(pool.manager.socketAddress("localhost:9"))
          .hasValueSatisfying(
              a -> assertThat(((InetSocketAddress) a).getAddress().isLoopbackAddress()).isTrue());
    }
  }

  @Test
  void services_giveAddressWeightAndPriority() {
    dns.services =
        List.of(
            "10 60000 4770 b.test", "10 6 4771 a.test", "20 0 4772 c.test", "10 1 0 portless.test");
    try (var pool = services()) {
      pool.awaitAddresses("a.test:4771", "b.test:4770", "c.test:4772");
      assertThat(pool.views().stream().map(UpstreamView::weight)).containsExactly(1, 1000, 1);
      dns.services = List.of("10 0 4771 a.test");
      pool.awaitAddresses("a.test:4771");
    }
  }

  @Test
  void services_areFetchedOverTcpIfTheyDoNotFit() {
    dns.mode = TestDnsServer.Mode.TRUNCATE_UDP;
    dns.services = List.of("1 1 4770 a.test");
    try (var pool = services()) {
      pool.awaitAddresses("a.test:4770");
    }
  }

  @Test
  void services_thatCannotBeFound_leaveTheKnownOnes() {
    dns.services = List.of("1 1 4770 a.test");
    try (var pool = services()) {
      pool.awaitAddresses("a.test:4770");
      dns.services = List.of();
      pool.awaitEvent("failed _echo._tcp.test the name has no SRV record");
      dns.services = List.of("1 1 0 portless.test");
      pool.awaitEvent("failed _echo._tcp.test none of the SRV records can be used");
      assertThat(pool.addresses()).containsExactly("a.test:4770");
      dns.services = List.of("0 0 0 .");
      pool.awaitAddresses();
    }
  }

  private RecordedPool services() {
    return new RecordedPool(p -> p.target = new Target.Srv(dns.address(), "_echo._tcp.test"));
  }

  private RecordedPool pool(String host) {
    return pool(host, Duration.ofMillis(200));
  }

  private RecordedPool pool(String host, Duration ttlMax) {
    return new RecordedPool(p -> {
      p.target = new Target.Dns(dns.address(), host, 9);
      p.dnsTtlMax = ttlMax;
    });
  }
}
