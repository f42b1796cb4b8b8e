package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.ClusterAccess;
import dev.waymark.config.HostPort;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.testing.Authority;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Discovery against the test's own API server. The upstreams found are loopback addresses without a
 * listener.
 */
class KubernetesDiscoveryIT {
  private final TestApiServer api = new TestApiServer();

  @TempDir private Path folder;

  @AfterEach
  void closeServer() {
    api.close();
  }

  private RecordedPool pool() {
    return pool(api);
  }

  private static RecordedPool pool(TestApiServer server) {
    Target target = new Target.Kubernetes(server.address().text(), "echo", "shop", "grpc");
    return new RecordedPool(p -> p.target = target);
  }

  private RecordedPool poolInPod(HostPort server, Path ca) {
    Target target = new Target.Kubernetes("", "echo", "shop", "grpc");
    ClusterAccess access = new ClusterAccess(server, ca, folder.resolve("token"));
    return new RecordedPool(p -> p.target = target, Optional.of(access));
  }

  @Test
  void service_gainsAndLosesEndpoints_poolFollows() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      api.put("b", "127.0.0.3", "127.0.0.2");
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
      api.put("a");
      api.put("b", "127.0.0.3");
      pool.awaitAddresses("127.0.0.3:9");
      api.delete("b");
      pool.awaitAddresses();
      assertThat(pool.events).contains("gone 127.0.0.2:9", "gone 127.0.0.3:9");
      assertThat(api.lists).hasSize(1);
      assertThat(api.credentials).containsOnly("");
    }
  }

  @Test
  void endpoint_thatTerminates_isGone_andTheZoneIsALabel() {
    String ready = "{\"addresses\": [\"127.0.0.2\"], \"zone\": \"eu-1a\"}";
    api.putEndpoints("a", ready, "{\"addresses\": [\"127.0.0.3\"]}");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
      assertThat(pool.views())
          .extracting(UpstreamView::labels)
          .containsExactly(Map.of("zone", "eu-1a"), Map.of());
      api.putEndpoints(
          "a",
          ready,
          "{\"addresses\": [\"127.0.0.3\"], \"conditions\": {\"ready\": false, \"serving\": true, \"terminating\": true}}");
      pool.awaitAddresses("127.0.0.2:9");
    }
  }

  @Test
  void list_inSeveralPages_isReadToItsEnd() {
    api.pageSize = 2;
    for (int i = 2; i <= 6; i++) {
      api.put("slice-" + i, "127.0.0." + i);
    }
    try (var pool = pool()) {
      pool.awaitAddresses(
          "127.0.0.2:9", "127.0.0.3:9", "127.0.0.4:9", "127.0.0.5:9", "127.0.0.6:9");
      assertThat(api.lists)
          .containsExactly(
              Map.of("limit", "500"),
              Map.of("limit", "500", "continue", "2"),
              Map.of("limit", "500", "continue", "4"));
    }
  }

  @Test
  void watch_thatEnds_isResumedFromTheLastBookmark() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      int bookmark = api.bookmark();
      api.endWatches();
      awaitWatch(2);
      assertThat(api.watches.getLast())
          .containsEntry("resourceVersion", Integer.toString(bookmark))
          .containsEntry("allowWatchBookmarks", "true")
          .containsKey("timeoutSeconds");
      api.put("a", "127.0.0.3");
      pool.awaitAddresses("127.0.0.3:9");
      assertThat(api.lists).hasSize(1);
      assertThat(pool.events).noneMatch(event -> event.startsWith("failed"));
    }
  }

  @Test
  void watch_thatBreaksOff_isResumed_andMissesNothing() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      api.breakWatches();
      await().until(() -> api.openWatches() == 0);
      api.put("a", "127.0.0.3");
      pool.awaitAddresses("127.0.0.3:9");
      assertThat(api.lists).hasSize(1);
      assertThat(pool.events).noneMatch(event -> event.startsWith("failed"));
    }
  }

  @Test
  void watch_thatExpires_listsAgain() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      api.expireWatches();
      await().until(() -> api.lists.size() == 2);
      awaitWatch(2);
      api.put("a", "127.0.0.3");
      pool.awaitAddresses("127.0.0.3:9");
      assertThat(pool.events).noneMatch(event -> event.startsWith("failed"));
    }
  }

  @Test
  void watch_thatCannotBeResumed_listsAgain() {
    api.put("a", "127.0.0.2");
    api.put("b", "127.0.0.3");
    try (var pool = pool()) {
      awaitWatch(1);
      api.endWatches();
      await().until(() -> api.openWatches() == 0);
      api.delete("a");
      api.compact();
      pool.awaitAddresses("127.0.0.3:9");
      assertThat(api.lists).hasSize(2);
    }
  }

  @Test
  void watch_withStatus410_listsAgain() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      api.watchStatus = 410;
      api.endWatches();
      await().until(() -> api.lists.size() >= 2);
      api.watchStatus = 200;
      api.put("a", "127.0.0.3");
      pool.awaitAddresses("127.0.0.3:9");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"garbage", "{\"type\": \"ADDED\"}", "LONG"})
  void line_thatIsNoEvent_isReported_andTheSlicesAreListedAgain(String line) {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      api.send(line.equals("LONG") ? "x".repeat(1024 * 1024 + 1) : line);
      String at = "failed echo.shop API server " + api.address().text() + ": ";
      pool.awaitEvent(
          at
              + (line.equals("LONG")
                  ? "an event is larger than 1 MiB"
                  : "a line of the watch is no event"));
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
      await().until(() -> api.lists.size() == 2);
      await().until(() -> pool.manager.discoveryProblem().isEmpty());
    }
  }

  @Test
  void endpoint_thatCannotBeRead_costsOnlyItself() {
    api.putEndpoints(
        "a",
        "{\"addresses\": [\"no address\"]}",
        "{\"addresses\": 7}",
        "7",
        "{\"addresses\": [\"127.0.0.2\"]}");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "401|wants credentials, which are sent in a pod only (401)",
        "403|access denied (403): allow the service account get, list and watch of endpointslices in discovery.k8s.io, in namespace shop: because of the test",
        "503|answers with HTTP status 503: because of the test",
      })
  void server_thatRefuses_isReported_andTheKnownUpstreamsStay(int status, String problem) {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      api.status = status;
      api.breakWatches();
      pool.awaitEvent("failed echo.shop API server " + api.address().text() + ": " + problem);
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
      api.put("a", "127.0.0.3");
      api.status = 200;
      pool.awaitAddresses("127.0.0.3:9");
      assertThat(pool.manager.discoveryProblem()).isEmpty();
    }
  }

  @Test
  void server_thatIsGone_isReported_andTheKnownUpstreamsStay() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      api.close();
      pool.awaitEvent(
          "failed echo.shop API server "
              + api.address().text()
              + ": connection refused: nothing is listening there");
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
    }
  }

  /** It is the API server that says so, unlike a name server that has lost its zone. */
  @Test
  void service_withoutSlices_emptiesThePool_andSaysWhy() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      api.delete("a");
      pool.awaitAddresses();
      pool.awaitEvent(
          "failed echo.shop no EndpointSlice belongs to service echo in namespace shop");
      api.put("a", "127.0.0.2");
      pool.awaitAddresses("127.0.0.2:9");
      assertThat(pool.manager.discoveryProblem()).isEmpty();
    }
  }

  @Test
  void service_withTooManyEndpoints_isReported() {
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      String[] many =
          Collections.nCopies(
                  5_000, "{\"addresses\": [\"127.0.0.3\"], \"conditions\": {\"ready\": false}}")
              .toArray(String[]::new);
      api.putEndpoints("b", many);
      api.putEndpoints("c", many);
      pool.awaitEvent("failed echo.shop the service has more than 10000 endpoints");
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
      api.delete("c");
      await().until(() -> pool.manager.discoveryProblem().isEmpty());
    }
  }

  @Test
  void pool_thatCloses_endsItsWatchAndItsThreads() {
    long threadsBefore = clientThreads();
    api.put("a", "127.0.0.2");
    try (var pool = pool()) {
      awaitWatch(1);
      pool.manager.close();
      await().until(() -> clientThreads() <= threadsBefore);
      await()
          .until(() -> {
            api.bookmark();
            return api.openWatches() == 0;
          });
      api.put("a", "127.0.0.3");
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
    }
    assertThat(api.watches).hasSize(1);
  }

  // --- in a pod ---

  @Test
  void token_thatRotates_isReadForEachRequest() throws Exception {
    Authority.assumeOpenssl();
    Authority authority = Authority.root(folder.resolve("ca"), "cluster");
    var issued = authority.issue(Authority.Request.server("kubernetes").names("IP:127.0.0.1"));
    Files.writeString(folder.resolve("token"), "first\n");
    try (var secure = new TestApiServer(issued.certificate(), issued.key())) {
      secure.wanted = "Bearer first";
      secure.put("a", "127.0.0.2");
      try (var pool = poolInPod(secure.address(), authority.certificate())) {
        pool.awaitAddresses("127.0.0.2:9");
        await().until(() -> secure.openWatches() == 1);
        Files.writeString(folder.resolve("token"), "second\n");
        secure.wanted = "Bearer second";
        secure.endWatches();
        await().until(() -> secure.watches.size() == 2);
        secure.put("a", "127.0.0.3");
        pool.awaitAddresses("127.0.0.3:9");
        assertThat(secure.credentials)
            .containsExactly("Bearer first", "Bearer first", "Bearer second");

        secure.wanted = "Bearer third";
        secure.endWatches();
        pool.awaitEvent(
            "failed echo.shop API server "
                + secure.address().text()
                + ": does not accept the token in "
                + folder.resolve("token")
                + " (401)");
      }
    }
  }

  @Test
  void server_ofAnotherCa_isNotTrusted_untilTheFileHasItsCa() throws Exception {
    Authority.assumeOpenssl();
    Authority authority = Authority.root(folder.resolve("ca"), "cluster");
    Authority other = Authority.root(folder.resolve("other"), "other");
    var issued = authority.issue(Authority.Request.server("kubernetes").names("IP:127.0.0.1"));
    Files.writeString(folder.resolve("token"), "secret");
    Path trusted = Files.copy(other.certificate(), folder.resolve("ca.crt"));
    try (var secure = new TestApiServer(issued.certificate(), issued.key())) {
      secure.put("a", "127.0.0.2");
      try (var pool = poolInPod(secure.address(), trusted)) {
        pool.awaitEvent(
            "failed echo.shop API server "
                + secure.address().text()
                + ": its certificate is not trusted");
        assertThat(secure.credentials).isEmpty();
        Files.writeString(trusted, Files.readString(authority.certificate()));
        pool.awaitAddresses("127.0.0.2:9");
      }
    }
  }

  @Test
  void server_withTheCertificateOfAnotherHost_isNotTrusted() throws Exception {
    Authority.assumeOpenssl();
    Authority authority = Authority.root(folder.resolve("ca"), "cluster");
    var issued = authority.issue(Authority.Request.server("kubernetes"));
    Files.writeString(folder.resolve("token"), "secret");
    try (var secure = new TestApiServer(issued.certificate(), issued.key());
        var pool = poolInPod(secure.address(), authority.certificate())) {
      pool.awaitEvent(
          "failed echo.shop API server "
              + secure.address().text()
              + ": proves to be somebody else");
      assertThat(secure.credentials).isEmpty();
    }
  }

  @Test
  void token_thatIsMissing_isReported() throws Exception {
    try (var pool = poolInPod(api.address(), folder.resolve("ca.crt"))) {
      pool.awaitEvent(
          "failed echo.shop "
              + folder.resolve("token")
              + ": no such file; the pod needs automountServiceAccountToken: true");
    }
  }

  @Test
  void target_withoutAServer_outsideOfAPod_saysWhatIsMissing() {
    Target target = new Target.Kubernetes("", "echo", "shop", "grpc");
    try (var pool = new RecordedPool(p -> p.target = target)) {
      pool.awaitEvent(
          "failed echo.shop KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not name an API"
              + " server, so this is no pod; name one in the target, as `kubectl proxy` serves it:"
              + " k8s://127.0.0.1:8001/");
    }
  }

  private static ConditionFactory await() {
    return Awaitility.await().pollInterval(Duration.ofMillis(5));
  }

  /** Threads of HTTP clients, of which each has one. */
  private static long clientThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().contains("SelectorManager"))
        .count();
  }

  /** Waits until this watch is open. */
  private void awaitWatch(int count) {
    await().until(() -> api.watches.size() == count && api.openWatches() == 1);
  }
}
