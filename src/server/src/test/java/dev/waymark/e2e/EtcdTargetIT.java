package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.etcd.EtcdFixture;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bridge whose upstreams are registered in etcd, from process to process. */
final class EtcdTargetIT {
  private static final int TTL_S = 2;

  @TempDir private Path folder;

  /** Down for longer than the TTL of the upstreams' lease. */
  @Test
  void etcd_killedUnderLoad_costsNoRequest_andNewUpstreamsAreFoundWhenItIsBack() {
    try (var etcd = Etcd.start(folder);
        var fixture = new EtcdFixture();
        var stubs = new Stubs(Scene.stubs(3))) {
      Stub first = stubs.all.get(0);
      Stub second = stubs.all.get(1);
      Stub late = stubs.all.get(2);
      var publisher = fixture.publisher(TTL_S, etcd);
      publisher.put("svc/echo/first", value(first));
      publisher.put("svc/echo/second", value(second));
      String target = "etcd://" + etcd.address() + "/svc/echo";
      try (Bridge bridge = Bridge.start(Waymark.Launch::quick, "--upstream=" + target)) {
        awaitServing(bridge, 2);
        List<Client> clients = Clients.connect(8, bridge.port());
        var isOver = new AtomicBoolean();
        var requests = new AtomicInteger();
        try (var load = Clients.inBackground(() -> load(clients, isOver, requests))) {
          etcd.kill();
          await()
              .atMost(Duration.ofSeconds(20))
              .until(() ->
                  !publisher.isComplete()
                      && bridge.process().stderr().contains("discovery-failed"));
          int before = requests.get();
          await().until(() -> requests.get() > before + 100);
          // New connections too.
          List<Client> more = Clients.connect(4, bridge.port());
          Clients.inParallel(more, client -> client.echo(1_000).end().expectEnd());
          Clients.close(more);
          etcd.restart();
          publisher.put("svc/echo/late", value(late));
          awaitServing(bridge, 3);
          isOver.set(true);
          load.join();
        }
        Clients.inParallel(clients, client -> client.end().expectEnd());
        Clients.close(clients);
        assertThat(bridge.process().stderr()).doesNotContain("upstream-gone");
        publisher.remove("svc/echo/second");
        awaitServing(bridge, 2);
        publisher.end();
        awaitServing(bridge, 0);
      }
    }
  }

  private static void load(List<Client> clients, AtomicBoolean isOver, AtomicInteger requests) {
    while (!isOver.get()) {
      Clients.inParallel(
          clients,
          client -> {
            client.echo(1_000);
            requests.incrementAndGet();
          });
    }
  }

  private record Stubs(List<Stub> all) implements AutoCloseable {
    @Override
    public void close() {
      all.forEach(Stub::close);
    }
  }

  private static String value(Stub stub) {
    return "{\"Op\":0,\"Addr\":\"" + stub.address() + "\",\"Metadata\":null}";
  }

  private static void awaitServing(Bridge bridge, int count) {
    await("serving upstreams")
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() ->
            assertThat(bridge.admin().metric("waymark_pool_upstreams_serving")).isEqualTo(count));
  }
}
