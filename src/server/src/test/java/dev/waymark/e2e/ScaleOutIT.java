package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.upstreams.TestDnsServer;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Upstreams that join the DNS name of a pool take their share of the open connections. */
final class ScaleOutIT {
  private static final int CLIENTS = 300;

  private static List<String> hosts(int count) {
    return IntStream.rangeClosed(1, count).mapToObj(i -> "127.0.0." + i).toList();
  }

  @Test
  void upstreams_grownFromThreeToFive_takeTheirSharesWithoutReplay() {
    int port = Waymark.freePort();
    var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try (TestDnsServer dns = new TestDnsServer((EventLoop) loop.next())) {
      dns.ttlSeconds = 1;
      dns.addresses = hosts(3);
      List<Stub> stubs =
          Scene.startAll(
              hosts(5).stream()
                  .<Supplier<Stub>>map(host -> () -> Scene.stub(host + ":" + port))
                  .toList());
      try (Scene scene =
          Scene.at(
              "dns://" + dns.address() + "/upstreams.test:" + port, stubs, "dns-ttl-min: 500ms")) {
        scene.awaitServing(3);
        List<Client> clients = scene.connect(CLIENTS);
        try (Load load = Load.on(clients, 300, 300)) {
          awaitShares(scene, stubs.subList(0, 3));
          long before = released(stubs);
          load.forgetPauses();
          dns.addresses = hosts(5);
          awaitShares(scene, stubs);
          long answered = load.replies();
          await().until(() -> load.replies() > answered + CLIENTS);
          load.stop();
          long moves = released(stubs) - before;
          System.out.printf(
              "3 -> 5 upstreams: %s, %d moves; longest wait for a reply %s%n",
              Scene.shares(stubs), moves, load.pauses());
          assertThat(moves).isBetween(110L, 130L);
        }
        assertThat(scene.replayedBytes()).isZero();
        scene.assertNoneClosed();
        scene.endAll(clients);
      }
    } finally {
      loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  private static long released(List<Stub> stubs) {
    return stubs.stream().mapToLong(stub -> stub.stat("released")).sum();
  }

  /** Waits until each has its share of the connections, within 10 %. */
  private static void awaitShares(Scene scene, List<Stub> of) {
    int share = CLIENTS / of.size();
    await("shares")
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() ->
            assertThat(Scene.shares(of).values())
                .allSatisfy(
                    each -> assertThat(each).isBetween(share - share / 10, share + share / 10)));
    assertThat(scene.metric("waymark_connections_open")).isEqualTo(CLIENTS);
  }
}
