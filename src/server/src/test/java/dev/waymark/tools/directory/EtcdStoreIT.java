package dev.waymark.tools.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.BadValueException;
import dev.waymark.config.RegistryAddress;
import dev.waymark.e2e.Etcd;
import dev.waymark.registry.table.TableLimits;
import dev.waymark.telemetry.EventLog;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Directories that share what is registered through a real etcd. */
class EtcdStoreIT {
  private static final Duration TTL = Duration.ofSeconds(30);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir private Path folder;

  /** A directory and a channel to it. */
  private record Member(DirectoryServer directory, ManagedChannel channel)
      implements AutoCloseable {
    Set<String> addresses() throws Exception {
      return directory.ask(() ->
          directory.catalog().instances("echo").stream()
              .map(entry -> entry.instance().address())
              .collect(Collectors.toSet()));
    }

    @Override
    public void close() {
      channel.shutdownNow();
      directory.close();
    }
  }

  @BeforeEach
  void assumeEtcd() {
    Etcd.assumeInstalled();
  }

  private static Member member(Etcd etcd, int seed) throws IOException, BadValueException {
    TableLimits limits = new TableLimits(TTL, 100, 1_000, 100, 1_000, Duration.ofSeconds(60));
    StoreOptions store =
        new StoreOptions(
            RegistryAddress.read("etcd://" + etcd.address() + "/wm"),
            Optional.empty(),
            "",
            Optional.empty());
    DirectoryServer directory =
        DirectoryServer.start(
            new InetSocketAddress("127.0.0.1", 0),
            new DirectoryOptions(
                limits,
                100,
                null,
                Optional.empty(),
                Optional.of(store),
                List.of(),
                List.of(),
                Map.of()),
            new EventLog(System::nanoTime),
            System::nanoTime,
            new SplittableRandom(seed));
    return new Member(
        directory, NettyChannelBuilder.forAddress(directory.address()).usePlaintext().build());
  }

  @Test
  void whatANodeRegisters_isKnownToAllAndGoneWhenItLeaves() throws Exception {
    try (Etcd etcd = Etcd.start(folder);
        Member one = member(etcd, 1);
        Member two = member(etcd, 2)) {
      TestNode node = TestNode.open(one.channel(), "a", 0, TestNode.echo("10.0.0.1:1"));
      node.response();
      await().atMost(PATIENCE).until(() -> two.addresses().equals(Set.of("10.0.0.1:1")));
      etcd.ctl("put", "wm/echo/go", "{\"Op\":0,\"Addr\":\"10.0.0.2:1\",\"Metadata\":null}");
      await()
          .atMost(PATIENCE)
          .until(() -> one.addresses().equals(Set.of("10.0.0.1:1", "10.0.0.2:1")));
      node.leave();
      await().atMost(PATIENCE).until(() -> two.addresses().equals(Set.of("10.0.0.2:1")));
    }
  }

  @Test
  void directoryThatStarts_isBelievedOnceItHasReadEtcd() throws Exception {
    try (Etcd etcd = Etcd.start(folder)) {
      etcd.ctl("put", "wm/echo/go", "{\"Op\":0,\"Addr\":\"10.0.0.2:1\",\"Metadata\":null}");
      try (Member one = member(etcd, 1)) {
        await().atMost(PATIENCE).until(() -> one.addresses().equals(Set.of("10.0.0.2:1")));
        assertThat(
                one.directory().ask(() -> one.directory().facts().isSettled(one.directory().now())))
            .isTrue();
      }
    }
  }

  @Test
  void etcdThatIsAway_leavesAllAsItIs() throws Exception {
    try (Etcd etcd = Etcd.start(folder);
        Member one = member(etcd, 1);
        Member two = member(etcd, 2)) {
      TestNode.open(one.channel(), "a", 0, TestNode.echo("10.0.0.1:1")).response();
      await().atMost(PATIENCE).until(() -> two.addresses().equals(Set.of("10.0.0.1:1")));
      etcd.kill();
      TestNode.open(two.channel(), "b", 0, TestNode.echo("10.0.0.2:1")).response();
      assertThat(two.addresses()).containsExactlyInAnyOrder("10.0.0.1:1", "10.0.0.2:1");
      await().atMost(PATIENCE).until(() -> !two.directory().storeProblem().isEmpty());
    }
  }
}
