package dev.waymark.upstreams;

import static org.awaitility.Awaitility.await;

import dev.waymark.config.PoolConfig.Target;
import dev.waymark.telemetry.Metrics;
import dev.waymark.tools.directory.dns.DnsOptions;
import dev.waymark.tools.directory.dns.DnsServer;
import dev.waymark.tools.directory.dns.FakeCatalog;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pools that find their upstreams by the DNS of a directory. */
class DirectoryDnsIT {
  private static final MultiThreadIoEventLoopGroup GROUP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  private final EventLoop loop = (EventLoop) GROUP.next();
  private final FakeCatalog catalog =
      new FakeCatalog().put("echo", "127.0.0.2:9").put("echo", "127.0.0.3:10");
  private DnsServer dns;

  @BeforeEach
  void start() throws IOException {
    DnsOptions options = DnsOptions.at(new InetSocketAddress("127.0.0.1", 0));
    dns = DnsServer.start(loop, catalog, options, new Metrics());
  }

  @AfterEach
  void stop() {
    dns.close();
  }

  @AfterAll
  static void endLoop() {
    GROUP.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void srv_givesTheInstancesWithTheirPorts() {
    try (var pool = pool(new Target.Srv(server(), "_echo._tcp.waymark.internal"))) {
      pool.awaitAddresses(
          "ip-127-0-0-2.echo.waymark.internal:9", "ip-127-0-0-3.echo.waymark.internal:10");
      put("127.0.0.4:11");
      pool.awaitAddresses(
          "ip-127-0-0-2.echo.waymark.internal:9",
          "ip-127-0-0-3.echo.waymark.internal:10",
          "ip-127-0-0-4.echo.waymark.internal:11");
    }
  }

  @Test
  void srv_withMoreInstancesThanUdpHolds_givesAll() {
    for (int i = 10; i < 110; i++) {
      put("127.0.0." + i + ":9");
    }
    try (var pool = pool(new Target.Srv(server(), "_echo._tcp.waymark.internal"))) {
      await().atMost(Duration.ofSeconds(10)).until(() -> pool.addresses().size() == 102);
    }
  }

  @Test
  void dns_givesTheAddresses() {
    try (var pool = pool(new Target.Dns(server(), "echo.waymark.internal", 9))) {
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
      put("127.0.0.4:11");
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9", "127.0.0.4:9");
    }
  }

  private void put(String address) {
    loop.submit(() -> catalog.put("echo", address)).syncUninterruptibly();
  }

  private String server() {
    return NetUtil.toSocketAddressString(dns.address());
  }

  private static RecordedPool pool(Target target) {
    return new RecordedPool(p -> {
      p.target = target;
      p.dnsTtlMax = Duration.ofMillis(200);
    });
  }
}
