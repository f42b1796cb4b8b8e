package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.e2e.Etcd;
import dev.waymark.e2e.Waymark;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.etcd.EtcdFixture;
import dev.waymark.etcd.NamingValue;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a Go program registers with etcd's own package is found, and what the bridge's side
 * registers is found by that package. Needs Go and Debian's packages of its libraries; building
 * takes a minute when Go has nothing in its cache.
 */
class EtcdGoIT {
  private static final Path LIBRARIES = Path.of("/usr/share/gocode/src");
  private static final Duration BUILD_TIMEOUT = Duration.ofMinutes(4);

  @TempDir private Path folder;

  private void assumeBuildable() {
    assumeTrue(Waymark.isOnPath("go"), "no go: apt-get install golang-go");
    assumeTrue(
        Files.isDirectory(LIBRARIES.resolve("go.etcd.io/etcd/clientv3/naming/endpoints")),
        "no etcd for Go: apt-get install golang-etcd-server-dev");
    assumeTrue(
        Files.isDirectory(LIBRARIES.resolve("google.golang.org/grpc")),
        "no gRPC for Go: apt-get install golang-google-grpc-dev");
  }

  private Path build() throws IOException {
    Path program = folder.resolve("naming");
    Path source = Files.createDirectories(folder.resolve("go/src/naming"));
    Files.copy(Path.of("src/server/src/test/resources/etcd-go/main.go"), source.resolve("main.go"));
    try (Waymark go =
        Waymark.program("go", "build", "-o", program.toString(), ".")
            .in(source)
            .env("GO111MODULE", "off")
            .env("GOFLAGS", "")
            .env("GOPATH", folder.resolve("go") + ":/usr/share/gocode")
            .start()) {
      assertThat(go.exitCode(BUILD_TIMEOUT)).as(() -> go.describe()).isZero();
    }
    return program;
  }

  private static String run(Path program, Etcd etcd, String... args) {
    String[] line =
        Stream.concat(Stream.of(program.toString(), etcd.address()), Stream.of(args))
            .toArray(String[]::new);
    try (Waymark go = Waymark.program(line).start()) {
      assertThat(go.exitCode()).as(() -> go.describe()).isZero();
      return go.stdout();
    }
  }

  @Test
  void go_andTheBridge_findWhatTheOtherRegisters() throws IOException {
    assumeBuildable();
    Path program = build();
    try (var etcd = Etcd.start(folder);
        var fixture = new EtcdFixture()) {
      Target target = new Target.Registered(Registry.ETCD, List.of(etcd.address()), "svc/echo");
      run(program, etcd, "add", "svc/echo", "plain", "127.0.0.2:9", "null");
      run(
          program,
          etcd,
          "add",
          "svc/echo",
          "rich",
          "127.0.0.3:9",
          "{\"weight\": 3, \"labels\": {\"zone\": \"a<b\"}, \"other\": [1]}");
      var publisher = fixture.publisher(10, etcd);
      Instance ours =
          new Instance(
              "echo",
              "127.0.0.4:9",
              2,
              0,
              Map.of("zone", "a<b"),
              Health.HEALTHY,
              LoadReport.UNKNOWN);
      publisher.put("svc/echo/ours", NamingValue.write(ours).toStringUtf8());
      Awaitility.await().until(publisher::isComplete);
      try (var pool = new RecordedPool(p -> p.target = target)) {
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9", "127.0.0.4:9");
        assertThat(pool.views()).extracting(UpstreamView::weight).containsExactly(1, 3, 2);
        assertThat(pool.views())
            .extracting(UpstreamView::labels)
            .containsExactly(Map.of(), Map.of("zone", "a<b"), Map.of("zone", "a<b"));
      }
      assertThat(run(program, etcd, "list", "svc/echo").lines())
          .containsExactly(
              "svc/echo/ours 127.0.0.4:9 {\"labels\":{\"zone\":\"a\\u003cb\"},\"weight\":2}",
              "svc/echo/plain 127.0.0.2:9 null",
              "svc/echo/rich 127.0.0.3:9 {\"labels\":{\"zone\":\"a\\u003cb\"},\"other\":[1],\"weight\":3}");
      assertThat(run(program, etcd, "resolve", "svc/echo").lines())
          .containsExactly("127.0.0.2:9", "127.0.0.3:9", "127.0.0.4:9");
      Instance plain =
          new Instance("echo", "127.0.0.2:9", 1, 0, Map.of(), Health.HEALTHY, LoadReport.UNKNOWN);
      assertThat(etcd.ctl("get", "--print-value-only", "svc/echo/plain").strip())
          .isEqualTo(NamingValue.write(plain).toStringUtf8());
    }
  }
}
