package dev.waymark.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.telemetry.Metrics;
import dev.waymark.tools.directory.dns.DnsOptions;
import dev.waymark.tools.directory.dns.DnsServer;
import dev.waymark.tools.directory.dns.FakeCatalog;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The DNS of a directory, asked by dig, and by dig through dnsmasq. */
final class DirectoryDnsToolsIT {
  private static final MultiThreadIoEventLoopGroup GROUP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  private static DnsServer dns;

  @BeforeAll
  static void start() throws IOException {
    assumeTrue(Waymark.isOnPath("dig"), "no dig: apt-get install bind9-dnsutils");
    FakeCatalog catalog =
        new FakeCatalog().put("echo", "10.0.0.7:4770").put("echo", "[2001:db8::7]:4771");
    for (int i = 0; i < 200; i++) {
      catalog.put("large", "10.0.1." + i + ":80");
    }
    dns =
        DnsServer.start(
            (EventLoop) GROUP.next(),
            catalog,
            DnsOptions.at(new InetSocketAddress("127.0.0.1", 0)),
            new Metrics());
  }

  @AfterAll
  static void stop() {
    if (dns != null) {
      dns.close();
    }
    GROUP.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void dig_findsAddressesAndServices() throws Exception {
    assertThat(shortly("A", "echo.waymark.internal")).containsExactly("10.0.0.7");
    assertThat(shortly("AAAA", "echo.waymark.internal")).containsExactly("2001:db8::7");
    for (String name : List.of("echo.waymark.internal", "_echo._tcp.waymark.internal")) {
      assertThat(shortly("SRV", name))
          .containsExactlyInAnyOrder(
              "0 1 4770 ip-10-0-0-7.echo.waymark.internal.",
              "0 1 4771 ip6-20010db8000000000000000000000007.echo.waymark.internal.");
    }
    assertThat(shortly("A", "ip-10-0-0-7.echo.waymark.internal")).containsExactly("10.0.0.7");
    assertThat(shortly("SOA", "waymark.internal"))
        .containsExactly(
            "ns.dns.waymark.internal. hostmaster.waymark.internal. 1 3600 600 86400 2");
  }

  @Test
  void dig_sendsWhatItWants_andUnderstands() throws Exception {
    assertThat(dig("A", "none.waymark.internal"))
        .contains("status: NXDOMAIN", "flags: qr aa rd;", "AUTHORITY: 1")
        .doesNotContain("Warning", "malformed");
    assertThat(dig("MX", "echo.waymark.internal")).contains("status: NOERROR", "ANSWER: 0");
    assertThat(dig("A", "example.com")).contains("status: REFUSED");
    assertThat(dig("AXFR", "waymark.internal")).contains("Transfer failed");
    assertThat(dig("ANY", "echo.waymark.internal")).contains("HINFO\t\"RFC8482\" \"\"");
    assertThat(dig("A", "echo.waymark.internal", "+tcp")).contains("10.0.0.7", "(TCP)");
    assertThat(dig("A", "echo.waymark.internal", "+noedns"))
        .contains("10.0.0.7")
        .doesNotContain("EDNS");
    assertThat(dig("A", "echo.waymark.internal", "+edns=1", "+noednsneg"))
        .contains("status: BADVERS");
    assertThat(dig("A", "echo.waymark.internal", "+opcode=notify")).contains("status: NOTIMP");
    assertThat(dig("A", "echo.waymark.internal", "+dnssec", "+cookie")).contains("flags: do;");
    assertThat(dig("A", "echo.waymark.internal", "+padding=400")).contains("status: NOERROR");
  }

  @Test
  void dig_getsALongAnswer_byTcp() throws Exception {
    assertThat(dig("SRV", "large.waymark.internal", "+ignore", "+bufsize=600"))
        .contains("flags: qr aa tc rd;")
        .containsPattern("MSG SIZE  rcvd: 5\\d\\d");
    assertThat(dig("SRV", "large.waymark.internal", "+bufsize=600"))
        .contains("retrying in TCP mode", "ANSWER: 200");
  }

  @Test
  void dnsmasq_forwardsTheZone() throws Exception {
    assumeTrue(Waymark.isOnPath("dnsmasq"), "dnsmasq is not installed");
    int port = dns.address().getPort();
    try (Dnsmasq forwarder = Dnsmasq.start("--server=/waymark.internal/127.0.0.1#" + port)) {
      int forwarding = Integer.parseInt(forwarder.address().replaceAll(".*:", ""));
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> run(forwarding, "A", "echo.waymark.internal").contains("10.0.0.7"));
      assertThat(run(forwarding, "SRV", "_echo._tcp.waymark.internal")).contains("0 1 4770 ip-");
      assertThat(run(forwarding, "SRV", "large.waymark.internal"))
          .contains("retrying in TCP mode", "ANSWER: 200");
      assertThat(run(forwarding, "A", "none.waymark.internal")).contains("status: NXDOMAIN");
    }
  }

  @Test
  void bridge_findsTheServicesOfAgents_byTheDnsOfTheirDirectory() throws Exception {
    try (Stub stub = Stub.start();
        DirectoryProcess directory = DirectoryProcess.start("--dns=127.0.0.1:0", "--dns-ttl=1s");
        Waymark agent =
            Waymark.command(
                    "agent",
                    "--admin=127.0.0.1:0",
                    "--service=echo",
                    "--address=" + stub.address(),
                    "--check=grpc",
                    "--check-interval=200ms",
                    "--registry=directory://" + directory.address())
                .quick()
                .start()) {
      int port = Integer.parseInt(directory.dns().replaceAll(".*:", ""));
      String name = "_echo._tcp.waymark.internal";
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> run(port, "SRV", name).contains("ip-127-0-0-1.echo.waymark.internal."));
      try (Bridge bridge =
              Bridge.start(
                  Waymark.Launch::quick, "--upstream=srv://" + directory.dns() + "/" + name);
          Client client = bridge.connect()) {
        client.send(100).expect(100);
      }
      agent.stop();
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> run(port, "SRV", name).contains("status: NXDOMAIN"));
      assertThat(directory.admin().metric("waymark_dns_answers_total", "code=\"nxdomain\""))
          .isPositive();
    }
  }

  private static List<String> shortly(String type, String name) throws Exception {
    return dig(type, name, "+short").lines().toList();
  }

  private static String dig(String type, String name, String... more) throws Exception {
    return run(dns.address().getPort(), type, name, more);
  }

  private static String run(int port, String type, String name, String... more) throws Exception {
    List<String> line = new ArrayList<>(List.of("dig", "@127.0.0.1", "-p", "" + port, type, name));
    line.addAll(List.of("+tries=1", "+time=5"));
    line.addAll(List.of(more));
    Process dig = new ProcessBuilder(line).redirectErrorStream(true).start();
    String output = new String(dig.getInputStream().readAllBytes(), UTF_8);
    dig.waitFor();
    return output;
  }
}
