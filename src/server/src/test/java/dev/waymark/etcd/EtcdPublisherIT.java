package dev.waymark.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.e2e.Etcd;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys that a publisher keeps in a real etcd. */
class EtcdPublisherIT {
  private final EtcdFixture fixture = new EtcdFixture();

  @TempDir private Path folder;

  @AfterEach
  void close() {
    fixture.close();
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(15)).pollInterval(Duration.ofMillis(50));
  }

  private static String value(Etcd etcd, String key) {
    return etcd.ctl("get", "--print-value-only", key).strip();
  }

  private static long count(Etcd etcd, String prefix) {
    return etcd.ctl("get", "--prefix", "--keys-only", prefix)
        .lines()
        .filter(line -> !line.isEmpty())
        .count();
  }

  private static List<String> leases(Etcd etcd) {
    return etcd.ctl("lease", "list").lines().skip(1).toList();
  }

  @Test
  void keys_arePut_changed_removed_andGoneWhenThePublisherEnds() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(30, etcd);
      publisher.put("svc/a", "one");
      publisher.put("svc/b", "two");
      await().until(publisher::isComplete);
      assertThat(value(etcd, "svc/a")).isEqualTo("one");
      OptionalLong since = publisher.progress().completeSinceNs();

      publisher.put("svc/a", "three");
      publisher.remove("svc/b");
      await()
          .untilAsserted(() -> {
            assertThat(value(etcd, "svc/a")).isEqualTo("three");
            assertThat(value(etcd, "svc/b")).isEmpty();
          });
      assertThat(publisher.progress().completeSinceNs()).isEqualTo(since);
      publisher.end();
      assertThat(count(etcd, "svc/")).isZero();
      assertThat(leases(etcd)).isEmpty();
    }
  }

  @Test
  void process_thatDies_losesItsKeysByTheTtl() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(2, etcd);
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      publisher.die();
      await().until(() -> count(etcd, "svc/") == 0);
    }
  }

  @Test
  void etcd_killedForLongerThanTheTtl_keepsKeysAndLease() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(2, etcd);
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      List<String> lease = leases(etcd);
      etcd.kill();
      await().until(() -> !publisher.isComplete());
      assertThat(publisher.progress().problem()).isPresent();
      etcd.restart();
      assertThat(value(etcd, "svc/a")).isEqualTo("one");
      await().until(publisher::isComplete);
      assertThat(publisher.progress().problem()).isEmpty();
      assertThat(leases(etcd)).isEqualTo(lease);
      assertThat(etcd.ctl("get", "-w", "fields", "svc/a")).contains("\"Version\" : 1");
    }
  }

  @Test
  void etcd_thatHasLostItsData_getsAllKeysAgain() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(5, etcd);
      publisher.put("svc/a", "one");
      publisher.put("svc/b", "two");
      await().until(publisher::isComplete);
      etcd.kill();
      etcd.restartEmpty();
      await().until(() -> count(etcd, "svc/") == 2);
    }
  }

  @Test
  void lease_thatIsRevoked_isReplaced_andKeysArePutAgain() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(2, etcd);
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      String lease = leases(etcd).getFirst();
      etcd.ctl("lease", "revoke", lease);
      await().until(() -> value(etcd, "svc/a").equals("one"));
      assertThat(leases(etcd)).hasSize(1).doesNotContain(lease);
    }
  }

  @Test
  void key_thatSomebodyDeletes_isPutAgain() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(2, etcd);
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      etcd.ctl("del", "svc/a");
      await().until(() -> value(etcd, "svc/a").equals("one"));
    }
  }

  @Test
  void key_thatSomebodyElseHasPut_isLeftToThem() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(2, etcd);
      publisher.put("svc/a", "one");
      publisher.put("svc/b", "two");
      await().until(publisher::isComplete);
      etcd.ctl("put", "svc/a", "other");
      publisher.remove("svc/a");
      publisher.remove("svc/b");
      await().until(() -> value(etcd, "svc/b").isEmpty());
      publisher.end();
      assertThat(value(etcd, "svc/a")).isEqualTo("other");
    }
  }

  @Test
  void manyKeys_arePutInBatches() {
    try (var etcd = Etcd.start(folder)) {
      var publisher = fixture.publisher(10, etcd);
      for (int i = 0; i < 1_000; i++) {
        publisher.put("svc/" + i, "x".repeat(2_000));
      }
      await().until(publisher::isComplete);
      assertThat(count(etcd, "svc/")).isEqualTo(1_000);
    }
  }

  @Test
  void token_thatHasExpired_isReplacedWithoutAReport() {
    try (var etcd = Etcd.start(folder, "--auth-token-ttl=1", "--log-level=info")) {
      etcd.enableAuth("svc/");
      EtcdUser user = new EtcdUser("node", () -> "secret");
      var publisher = fixture.publisher(30, fixture.client(Optional.of(user), etcd.address()));
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      // Because nobody has used it for a second.
      etcd.process().awaitLine("deleted a simple token.*\"node\"");
      publisher.put("svc/a", "two");
      await().until(() -> etcd.asRoot("get", "--print-value-only", "svc/a").equals("two\n"));
      assertThat(publisher.progress().problem()).isEmpty();
    }
  }

  @Test
  void key_thatTheUserMayNotWrite_isReported_andTriedAgain_andCostsNoOther() {
    try (var etcd = Etcd.start(folder)) {
      etcd.enableAuth("svc/");
      EtcdUser user = new EtcdUser("node", () -> "secret");
      var publisher = fixture.publisher(30, fixture.client(Optional.of(user), etcd.address()));
      publisher.put("other/a", "one");
      publisher.put("svc/b", "two");
      await().until(() -> publisher.progress().problem().isPresent());
      var problem = publisher.progress().problem().orElseThrow();
      assertThat(problem.kind()).isEqualTo(Kind.REGISTRY_DENIED);
      assertThat(problem.text())
          .isEqualTo(etcd.address() + ": PERMISSION_DENIED: etcdserver: permission denied");
      await().until(() -> etcd.asRoot("get", "--print-value-only", "svc/b").equals("two\n"));
      etcd.asRoot("role", "grant-permission", "--prefix=true", "node", "readwrite", "other/");
      await().until(publisher::isComplete);
      assertThat(publisher.progress().problem()).isEmpty();
    }
  }

  @Test
  void member_thatDies_isReplacedByAnother_andNoKeyIsLost() {
    List<Etcd> cluster = Etcd.cluster(folder);
    try {
      var publisher = fixture.publisher(5, cluster.toArray(Etcd[]::new));
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      String lease = leases(cluster.get(1)).getFirst();
      // The client begins with the first.
      cluster.getFirst().kill();
      publisher.put("svc/b", "two");
      await().until(() -> value(cluster.get(1), "svc/b").equals("two"));
      assertThat(value(cluster.get(1), "svc/a")).isEqualTo("one");
      assertThat(leases(cluster.get(1))).containsExactly(lease);
    } finally {
      cluster.forEach(Etcd::close);
    }
  }

  /** What docs/decisions/0046-etcd.md relies on: no lease ends while nobody can renew it. */
  @Test
  void cluster_withoutAMajorityForLongerThanTheTtl_keepsKeysAndLease() {
    List<Etcd> cluster = Etcd.cluster(folder);
    try {
      var publisher = fixture.publisher(2, cluster.toArray(Etcd[]::new));
      publisher.put("svc/a", "one");
      await().until(publisher::isComplete);
      List<String> lease = leases(cluster.getLast());
      cluster.get(0).kill();
      cluster.get(1).kill();
      await().until(() -> !publisher.isComplete());
      cluster.get(0).restart();
      await().until(publisher::isComplete);
      assertThat(leases(cluster.getLast())).isEqualTo(lease);
      assertThat(cluster.getLast().ctl("get", "-w", "fields", "svc/a")).contains("\"Version\" : 1");
    } finally {
      cluster.forEach(Etcd::close);
    }
  }
}
