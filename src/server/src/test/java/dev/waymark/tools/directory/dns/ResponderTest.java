package dev.waymark.tools.directory.dns;

import static io.netty.handler.codec.dns.DnsRecordType.A;
import static io.netty.handler.codec.dns.DnsRecordType.AAAA;
import static io.netty.handler.codec.dns.DnsRecordType.ANY;
import static io.netty.handler.codec.dns.DnsRecordType.AXFR;
import static io.netty.handler.codec.dns.DnsRecordType.MX;
import static io.netty.handler.codec.dns.DnsRecordType.NS;
import static io.netty.handler.codec.dns.DnsRecordType.SOA;
import static io.netty.handler.codec.dns.DnsRecordType.SRV;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Instance.Health;
import dev.waymark.tools.directory.dns.Responder.Via;
import io.netty.handler.codec.dns.DnsRecordType;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is answered, without sockets. */
class ResponderTest {
  private static final String SOA_RECORD =
      "waymark.internal. 2 SOA ns.dns.waymark.internal. hostmaster.waymark.internal. %d 3600 600 86400 2";

  private final FakeCatalog catalog = new FakeCatalog();
  private final DnsCounters counters = new DnsCounters();
  private final Responder responder = responder(InetAddress.ofLiteral("10.0.0.1"));

  private Responder responder(@Nullable InetAddress own) {
    Zone zone = new Zone(catalog, DnsOptions.ZONE, 2, own);
    return new Responder(zone, DnsOptions.UDP_BYTES_MAX, new SplittableRandom(1), counters);
  }

  @Test
  void addresses_ofUsableInstances_byFamily() {
    catalog
        .put("echo", "10.0.0.7:4770")
        .put("echo", "10.0.0.7:4780")
        .put("echo", "[2001:db8::7]:4770")
        .put("echo", "10.0.0.8:4770", 1, 0, Health.DRAINING, false)
        .put("echo", "10.0.0.9:4770", 1, 0, Health.UNHEALTHY, false)
        .put("echo", "10.0.0.10:4770", 1, 0, Health.HEALTHY, true)
        .put("echo", "echo.example.com:4770")
        .put("echo", "[fe80::1%eth0]:4770")
        .put("echo", "unix:/run/echo.sock");

    assertThat(ask("echo.waymark.internal", A))
        .isEqualTo(
            new TestAnswer(
                TestQuery.ID,
                "NOERROR",
                "aa rd",
                55,
                List.of("echo.waymark.internal. A"),
                List.of("echo.waymark.internal. 2 A 10.0.0.7"),
                List.of(),
                List.of()));
    assertThat(ask("echo.waymark.internal", AAAA).answers())
        .containsExactly("echo.waymark.internal. 2 AAAA 2001:db8::7");
  }

  @Test
  void addresses_areThoseOfTheLowestPriorityThatHasAny() {
    catalog
        .put("echo", "host.example.com:1", 1, 0)
        .put("echo", "10.0.0.1:1", 1, 1, Health.DRAINING, false)
        .put("echo", "10.0.0.2:1", 1, 2)
        .put("echo", "10.0.0.3:1", 1, 3);
    assertThat(ask("echo.waymark.internal", A).answers())
        .containsExactly("echo.waymark.internal. 2 A 10.0.0.2");

    catalog.put("echo", "10.0.0.1:1", 1, 1);
    assertThat(ask("echo.waymark.internal", A).answers())
        .containsExactly("echo.waymark.internal. 2 A 10.0.0.1");
  }

  @Test
  void services_haveWeightPortAndTarget_inTheOrderOfPriorities() {
    catalog
        .put("echo", "10.0.0.7:4780", 1000, 10)
        .put("echo", "[2001:db8::7]:4770", 2, 1)
        .put("echo", "echo.example.com:4770", 3, 0)
        .put("echo", "10.0.0.9:4770", 1, 0, Health.DRAINING, false);

    TestAnswer answer = ask(new TestQuery("echo.waymark.internal", SRV).edns(1232));
    String ipv6 = "ip6-20010db8000000000000000000000007.echo.waymark.internal.";
    assertThat(answer.answers())
        .containsExactly(
            "echo.waymark.internal. 2 SRV 0 3 4770 echo.example.com.",
            "echo.waymark.internal. 2 SRV 1 2 4770 " + ipv6,
            "echo.waymark.internal. 2 SRV 10 1000 4780 ip-10-0-0-7.echo.waymark.internal.");
    assertThat(answer.additional())
        .containsExactly(
            ipv6 + " 2 AAAA 2001:db8::7",
            "ip-10-0-0-7.echo.waymark.internal. 2 A 10.0.0.7",
            "OPT 1232 0");
  }

  @Test
  void services_withOneAddressAndTwoPorts_bringItOnce() {
    catalog.put("echo", "10.0.0.7:1").put("echo", "10.0.0.7:2");
    TestAnswer answer = ask("echo.waymark.internal", SRV);
    assertThat(answer.answers()).hasSize(2);
    assertThat(answer.additional())
        .containsExactly("ip-10-0-0-7.echo.waymark.internal. 2 A 10.0.0.7");
  }

  @Test
  void targets_areNames_whileTheInstanceIsRegistered() {
    catalog.put("echo", "10.0.0.7:4770", 1, 0, Health.DRAINING, false).put("echo", "[::1]:4770");
    assertThat(ask("ip-10-0-0-7.echo.waymark.internal", A).answers())
        .containsExactly("ip-10-0-0-7.echo.waymark.internal. 2 A 10.0.0.7");
    assertThat(ask("IP6-00000000000000000000000000000001.Echo.waymark.internal", AAAA).answers())
        .containsExactly("IP6-00000000000000000000000000000001.Echo.waymark.internal. 2 AAAA ::1");
    assertNoData(ask("ip-10-0-0-7.echo.waymark.internal", AAAA), 3);
    assertNone(ask("ip-10-0-0-8.echo.waymark.internal", A));
    assertNone(ask("ip-10-0-0-7.waymark.internal", A));
    assertNone(ask("ip-10-0-0-7.other.waymark.internal", A));
    catalog.remove("echo");
    assertNone(ask("ip-10-0-0-7.echo.waymark.internal", A));
  }

  @Test
  void underscoreNames_haveTheServicesOnly() {
    catalog.put("echo", "10.0.0.7:4770").put("cart.shop", "10.0.0.8:80");
    assertThat(ask("_Echo._TCP.waymark.internal", SRV).answers())
        .containsExactly(
            "_Echo._TCP.waymark.internal. 2 SRV 0 1 4770 ip-10-0-0-7.echo.waymark.internal.");
    assertThat(ask("_cart._tcp.shop.waymark.internal", SRV).answers())
        .containsExactly(
            "_cart._tcp.shop.waymark.internal. 2 SRV 0 1 80 ip-10-0-0-8.cart.shop.waymark.internal.");
    assertNoData(ask("_echo._tcp.waymark.internal", A), 3);
    assertNoData(ask("_tcp.waymark.internal", SRV), 3);
    assertNoData(ask("_tcp.shop.waymark.internal", SRV), 3);
    assertNone(ask("_tcp.echo.waymark.internal", SRV));
    assertNone(ask("_echo._udp.waymark.internal", SRV));
    assertNone(ask("_none._tcp.waymark.internal", SRV));
    assertNone(ask("_echo.waymark.internal", SRV));
    assertNone(ask("x._echo._tcp.waymark.internal", SRV));
  }

  @Test
  void names_exist_whileSomethingIsRegisteredThereOrBelow() {
    catalog.put("a.b.c", "10.0.0.1:1").put("b.c", "10.0.0.2:1");
    assertNoData(ask("c.waymark.internal", A), 3);
    assertThat(ask("b.c.waymark.internal", A).answers()).hasSize(1);
    catalog.remove("b.c");
    assertNoData(ask("b.c.waymark.internal", A), 4);
    catalog.remove("a.b.c");
    for (String gone : List.of("a.b.c", "b.c", "c")) {
      assertNone(ask(gone + ".waymark.internal", A));
    }
    assertNoData(ask("dns.waymark.internal", A), 5);
  }

  @Test
  void service_withoutUsableInstances_hasNoData() {
    catalog.put("echo", "10.0.0.7:4770", 1, 0, Health.UNHEALTHY, false);
    assertNoData(ask("echo.waymark.internal", A), 2);
    assertNoData(ask("echo.waymark.internal", SRV), 2);
    catalog.put("echo", "10.0.0.7:4770");
    assertThat(ask("echo.waymark.internal", A).answers()).hasSize(1);
  }

  @Test
  void apex_hasAuthorityAndNameServer() {
    assertThat(ask("waymark.internal", SOA).answers()).containsExactly(SOA_RECORD.formatted(1));
    TestAnswer servers = ask("WayMark.internal", NS);
    assertThat(servers.answers())
        .containsExactly("WayMark.internal. 2 NS ns.dns.waymark.internal.");
    assertThat(servers.additional()).containsExactly("ns.dns.waymark.internal. 2 A 10.0.0.1");
    assertThat(ask("ns.dns.waymark.internal", A).answers())
        .containsExactly("ns.dns.waymark.internal. 2 A 10.0.0.1");
    assertNoData(ask("waymark.internal", A), 1);
    assertNoData(ask("waymark.internal", MX), 1);
  }

  @Test
  void nameServer_withoutKnownAddress_hasNone() {
    Responder unknown = responder(null);
    assertThat(ask(unknown, new TestQuery("waymark.internal", NS), Via.UDP).additional()).isEmpty();
    assertNoData(ask(unknown, new TestQuery("ns.dns.waymark.internal", A), Via.UDP), 1);
  }

  @Test
  void nameServer_isNoService() {
    catalog.put("ns.dns", "10.0.0.99:1").put("dns", "10.0.0.98:1");
    assertThat(ask("ns.dns.waymark.internal", A).answers())
        .containsExactly("ns.dns.waymark.internal. 2 A 10.0.0.1");
    assertThat(ask("dns.waymark.internal", A).answers())
        .containsExactly("dns.waymark.internal. 2 A 10.0.0.98");
  }

  @Test
  void services_thatDifferInCaseOnly_areOne() {
    catalog.put("Echo", "10.0.0.1:1").put("echo", "10.0.0.2:1").put("ECHO", "10.0.0.1:1");
    assertThat(ask("eChO.waymark.internal", SRV).answers())
        .containsExactlyInAnyOrder(
            "eChO.waymark.internal. 2 SRV 0 1 1 ip-10-0-0-1.echo.waymark.internal.",
            "eChO.waymark.internal. 2 SRV 0 1 1 ip-10-0-0-2.echo.waymark.internal.");
    catalog.remove("echo").remove("ECHO");
    assertThat(ask("echo.waymark.internal", A).answers())
        .containsExactly("echo.waymark.internal. 2 A 10.0.0.1");
    catalog.remove("Echo");
    assertNone(ask("echo.waymark.internal", A));
  }

  @Test
  void services_registeredBeforeTheStart_areKnown_andClosedZonesFollowNothing() {
    catalog.put("echo", "10.0.0.1:1");
    Zone zone = new Zone(catalog, DnsOptions.ZONE, 2, null);
    assertThat(zone.find("echo.waymark.internal")).isNotNull();
    int subscribers = catalog.subscriberCount();
    zone.close();
    assertThat(catalog.subscriberCount()).isEqualTo(subscribers - 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"under_score", "-dash", "1", "_echo._tcp", "a.b"})
  void service_withAnUnusualName_isFoundByItsLabels(String service) {
    catalog.put(service, "10.0.0.1:1");
    assertThat(ask(service + ".waymark.internal", A).answers()).hasSize(1);
    assertThat(ask(service + ".waymark.internal", SRV).answers()).hasSize(1);
  }

  @Test
  void service_thatIsNoName_costsOnlyItself() {
    String label = "x".repeat(63);
    String longest = String.join(".", label, label, label, "x".repeat(255 - 3 * 64 - 20));
    catalog
        .put("a..b", "10.0.0.1:1")
        .put(".a", "10.0.0.1:1")
        .put("x".repeat(64), "10.0.0.1:1")
        .put("x" + longest, "10.0.0.1:1")
        .put(longest, "10.0.0.1:1")
        .put("echo", "10.0.0.1:1");
    assertThat(ask("echo.waymark.internal", A).answers()).hasSize(1);
    assertThat(ask(longest + ".waymark.internal", A).answers()).hasSize(1);
    assertNoData(ask(longest + ".waymark.internal", SRV), 7);
  }

  @Test
  void question_isRepeatedByteForByte() {
    byte[] query = new TestQuery("E\u00e9\u0000 x.wAYmARK.internal", A).bytes();
    byte[] answer = bytes(responder, query, Via.UDP);
    assertThat(answer[3]).isEqualTo((byte) ResponseCode.NXDOMAIN.code());
    assertThat(Arrays.copyOfRange(answer, Query.HEADER_BYTES, query.length))
        .isEqualTo(Arrays.copyOfRange(query, Query.HEADER_BYTES, query.length));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "internal", "example.com", "xwaymark.internal", "waymark.internal.x"})
  void names_outsideTheZone_areRefused(String name) {
    TestAnswer answer = ask(name, A);
    assertThat(answer.code()).isEqualTo("REFUSED");
    assertThat(answer.flags()).isEqualTo("rd");
    assertThat(answer.authority()).isEmpty();
  }

  @Test
  void transfersAndOtherClasses_areRefused() {
    assertThat(ask("waymark.internal", AXFR).code()).isEqualTo("REFUSED");
    assertThat(ask(new TestQuery("waymark.internal", SOA).recordClass(3)).code())
        .isEqualTo("REFUSED");
    assertThat(ask(new TestQuery("waymark.internal", SOA).recordClass(255)).code())
        .isEqualTo("REFUSED");
  }

  @Test
  void any_isAnsweredMinimally() {
    catalog.put("echo", "10.0.0.7:4770");
    assertThat(ask("echo.waymark.internal", ANY).answers())
        .containsExactly("echo.waymark.internal. 2 HINFO \"RFC8482\" \"\"");
    assertNone(ask("none.waymark.internal", ANY));
  }

  @ParameterizedTest
  @CsvSource({"0x0800, NOTIMP", "0x2000, NOTIMP", "0x2800, NOTIMP", "0x7900, NOTIMP"})
  void otherOperations_areNotImplemented(String flags, String code) {
    TestAnswer answer = ask(new TestQuery("waymark.internal", SOA).flags(Integer.decode(flags)));
    assertThat(answer.code()).isEqualTo(code);
    assertThat(answer.question()).isEmpty();
    assertThat(answer.id()).isEqualTo(TestQuery.ID);
  }

  @Test
  void brokenQueries_areAnsweredWithTheirId() {
    byte[] whole = new TestQuery("echo.waymark.internal", A).edns(1232).bytes();
    for (int length = Query.HEADER_BYTES; length < whole.length; length++) {
      TestAnswer answer = TestAnswer.read(bytes(responder, Arrays.copyOf(whole, length), Via.UDP));
      assertThat(answer.code()).as("%d bytes", length).isEqualTo("FORMERR");
      assertThat(answer.id()).isEqualTo(TestQuery.ID);
    }
    List<TestQuery> broken =
        List.of(
            new TestQuery("a.waymark.internal", A).count(4, 0),
            new TestQuery("a.waymark.internal", A).count(4, 2),
            new TestQuery("a.waymark.internal", A).count(6, 1),
            new TestQuery("a.waymark.internal", A).count(10, 1),
            new TestQuery("a.waymark.internal", A).count(10, 0xffff),
            new TestQuery("a.waymark.internal", A).append(0),
            new TestQuery("a.waymark.internal", A).edns(1232).edns(1232),
            new TestQuery("x".repeat(64) + ".waymark.internal", A),
            new TestQuery("x.".repeat(120) + "waymark.internal", A),
            // An OPT record that is not of the root.
            new TestQuery("a.waymark.internal", A)
                .count(10, 1)
                .append(1, 'x', 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0));
    assertThat(broken).allSatisfy(each -> assertThat(ask(each).code()).isEqualTo("FORMERR"));
  }

  @Test
  void question_withAPointer_isBroken() {
    byte[] query = new TestQuery("a.waymark.internal", A).bytes();
    query[Query.HEADER_BYTES] = (byte) Names.POINTER;
    assertThat(TestAnswer.read(bytes(responder, query, Via.UDP)).code()).isEqualTo("FORMERR");
  }

  @Test
  void unknownRecords_besideTheQuestion_areIgnored() {
    catalog.put("echo", "10.0.0.7:4770");
    TestQuery query =
        new TestQuery("echo.waymark.internal", A)
            .count(6, 1)
            .count(10, 1)
            .append(Names.POINTER, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 'x', 'x')
            .append(1, 'a', Names.POINTER, 12, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0);
    assertThat(ask(query).answers()).hasSize(1);
  }

  @Test
  void packets_thatAreNoQueries_areNotAnswered() {
    byte[] response = new TestQuery("waymark.internal", SOA).flags(0x8400).bytes();
    assertThat(responder.answer(response, response.length, Via.UDP)).isZero();
    assertThat(responder.answer(response, 0, Via.UDP)).isZero();
    byte[] query = new TestQuery("waymark.internal", SOA).bytes();
    assertThat(responder.answer(query, 11, Via.UDP)).isZero();
    assertThat(counters.ignored.sum()).isEqualTo(3);
  }

  @Test
  void edns_isAnsweredInKind() {
    catalog.put("echo", "10.0.0.7:4770");
    assertThat(ask(new TestQuery("echo.waymark.internal", A).edns(4096)).additional())
        .containsExactly("OPT 1232 0");
    assertThat(ask(new TestQuery("echo.waymark.internal", A).edns(0, 0, 0x8000)).additional())
        .containsExactly("OPT 1232 8000");
    TestAnswer unknown = ask(new TestQuery("echo.waymark.internal", A).edns(1232, 1, 0));
    assertThat(unknown.additional()).containsExactly("OPT 1232 1000000");
    assertThat(unknown.answers()).isEmpty();
    assertThat(ask(new TestQuery("none.waymark.internal", A).edns(1232)).additional())
        .containsExactly("OPT 1232 0");
    assertThat(ask(new TestQuery("example.com", A).edns(1232)).additional())
        .containsExactly("OPT 1232 0");
  }

  @Test
  void answer_thatDoesNotFit_isTruncated() {
    for (int i = 0; i < 100; i++) {
      catalog.put("echo", "10.0.0." + i + ":4770");
    }
    TestAnswer plain = ask("echo.waymark.internal", A);
    assertThat(plain.flags()).isEqualTo("aa tc rd");
    assertThat(plain.answers()).hasSize(29);
    assertThat(plain.lengthBytes()).isBetween(490, 512);

    for (int payload : new int[] {0, 511, 512}) {
      TestAnswer small = ask(new TestQuery("echo.waymark.internal", A).edns(payload));
      assertThat(small.answers()).hasSize(28);
      assertThat(small.lengthBytes()).isBetween(490, 512);
      assertThat(small.additional()).containsExactly("OPT 1232 0");
    }
    TestAnswer large = ask(new TestQuery("echo.waymark.internal", A).edns(65535));
    assertThat(large.flags()).isEqualTo("aa tc rd");
    assertThat(large.lengthBytes()).isBetween(1210, 1232);
    assertThat(counters.truncated.sum()).isEqualTo(5);

    TestAnswer tcp = ask(responder, new TestQuery("echo.waymark.internal", A), Via.TCP);
    assertThat(tcp.flags()).isEqualTo("aa rd");
    assertThat(tcp.answers()).doesNotHaveDuplicates().hasSize(100);
  }

  @Test
  void addressesOfTargets_comeAsFarAsTheyFit() {
    for (int i = 0; i < 20; i++) {
      catalog.put("echo", "10.0.0." + i + ":4770");
    }
    TestAnswer udp = ask(new TestQuery("echo.waymark.internal", SRV).edns(1232));
    assertThat(udp.flags()).isEqualTo("aa rd");
    assertThat(udp.answers()).hasSize(20);
    assertThat(udp.additional()).hasSizeBetween(3, 19);
    assertThat(udp.lengthBytes()).isBetween(1210, 1232);
    TestAnswer tcp = ask(responder, new TestQuery("echo.waymark.internal", SRV), Via.TCP);
    assertThat(tcp.additional()).doesNotHaveDuplicates().hasSize(20);
  }

  @Test
  void answer_overTcp_hasAtMostAThousandRecordsAnd64KiB() {
    String name = "x".repeat(60);
    for (int i = 0; i < 1_500; i++) {
      String ip = "10.0." + i / 250 + "." + i % 250;
      catalog.put("echo", ip + ":4770", 1, i / 500).put(name, ip + ":4770");
    }
    TestAnswer many = ask(responder, new TestQuery("echo.waymark.internal", SRV), Via.TCP);
    assertThat(many.flags()).isEqualTo("aa rd");
    assertThat(many.answers()).doesNotHaveDuplicates().hasSize(1_000);
    assertThat(many.answers()).noneMatch(each -> each.contains("SRV 2 "));
    // Those whose names can be pointed to.
    assertThat(many.additional()).hasSizeBetween(200, 400);
    TestAnswer large = ask(responder, new TestQuery(name + ".waymark.internal", SRV), Via.TCP);
    assertThat(large.lengthBytes()).isBetween(65_400, 65_535);
    assertThat(large.flags()).isEqualTo("aa rd");
  }

  @Test
  void records_comeInRandomOrder() {
    for (int i = 0; i < 3; i++) {
      catalog.put("echo", "10.0.0." + i + ":4770");
    }
    Map<List<String>, Integer> orders = new HashMap<>();
    for (int i = 0; i < 600; i++) {
      orders.merge(ask("echo.waymark.internal", A).answers(), 1, Integer::sum);
    }
    assertThat(orders.values()).hasSize(6).allMatch(times -> times > 60 && times < 140);
  }

  @Test
  void source_overItsRate_isToldToUseTcp() {
    catalog.put("echo", "10.0.0.7:4770");
    byte[] query = new TestQuery("echo.waymark.internal", A).edns(1232).bytes();
    byte[] answer = bytes(responder, query, Via.UDP_OVER_RATE);
    assertThat(answer).hasSize(query.length);
    assertThat(TestAnswer.read(answer).flags()).isEqualTo("aa tc rd");
    assertThat(TestAnswer.read(answer).answers()).isEmpty();
  }

  @Test
  void otherZone_isServedInstead() {
    catalog.put("echo", "10.0.0.7:4770");
    Zone zone = new Zone(catalog, DnsOptions.readZone("Corp.Example."), 2, null);
    Responder other = new Responder(zone, 512, new SplittableRandom(1), counters);
    assertThat(ask(other, new TestQuery("echo.corp.example", A), Via.UDP).answers()).hasSize(1);
    assertThat(ask(other, new TestQuery("echo.waymark.internal", A), Via.UDP).code())
        .isEqualTo("REFUSED");
  }

  private void assertNoData(TestAnswer answer, int serial) {
    assertThat(answer.code()).isEqualTo("NOERROR");
    assertNothing(answer);
    assertThat(answer.authority()).containsExactly(SOA_RECORD.formatted(serial));
  }

  private void assertNone(TestAnswer answer) {
    assertThat(answer.code()).isEqualTo("NXDOMAIN");
    assertNothing(answer);
  }

  private static void assertNothing(TestAnswer answer) {
    assertThat(answer.flags()).isEqualTo("aa rd");
    assertThat(answer.answers()).isEmpty();
    assertThat(answer.authority()).hasSize(1);
    assertThat(answer.additional()).isEmpty();
  }

  private TestAnswer ask(String name, DnsRecordType type) {
    return ask(new TestQuery(name, type));
  }

  private TestAnswer ask(TestQuery query) {
    return ask(responder, query, Via.UDP);
  }

  private static TestAnswer ask(Responder asked, TestQuery query, Via via) {
    return TestAnswer.read(bytes(asked, query.bytes(), via));
  }

  private static byte[] bytes(Responder asked, byte[] query, Via via) {
    int length = asked.answer(query, query.length, via);
    assertThat(length).isPositive();
    return Arrays.copyOf(asked.answer(), length);
  }
}
