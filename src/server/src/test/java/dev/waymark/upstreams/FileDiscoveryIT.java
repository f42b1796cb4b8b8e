package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.lane.UpstreamView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A pool that follows a file of upstreams, which are loopback addresses without a listener. */
class FileDiscoveryIT {
  private static final Duration NOTICED_WITHIN = Duration.ofSeconds(1);

  @TempDir private Path folder;

  private Path file() {
    return folder.resolve("upstreams.yml");
  }

  private RecordedPool pool() {
    return new RecordedPool(p -> p.target = new Target.ListFile(file()));
  }

  @Test
  void file_inYaml_givesAddressWeightLabelsAndZone() throws Exception {
    Files.writeString(
        file(),
        """
        # first the local one
        - {address: '127.0.0.2:9', weight: 3, zone: a}
        - address: 'unix:/run/echo.sock'
          labels: {version: v2, zone: b}
        """);
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9", "unix:/run/echo.sock");
      List<UpstreamView> views = pool.views();
      assertThat(views.get(0).weight()).isEqualTo(3);
      assertThat(views.get(0).labels()).isEqualTo(Map.of("zone", "a"));
      assertThat(views.get(1).labels()).isEqualTo(Map.of("version", "v2", "zone", "b"));
    }
  }

  @Test
  void file_inJson_isReadLikewise() throws Exception {
    Files.writeString(
        file(),
        "[\n\t{\"address\": \"127.0.0.2:9\", \"weight\": 3},\n\t{\"address\": \"[::1]:9\"}\n]\n");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9", "[::1]:9");
    }
  }

  @Test
  void file_thatIsReplaced_isNoticedWithinASecond() throws Exception {
    write("127.0.0.2:9");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      Path next = Files.writeString(folder.resolve("next"), list("127.0.0.3:9"));
      Files.move(next, file(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      assertNoticed(pool, "127.0.0.3:9");
    }
  }

  @Test
  void file_thatIsWrittenInPlace_isNoticedWithinASecond() throws Exception {
    write("127.0.0.2:9");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      write("127.0.0.2:9", "127.0.0.3:9");
      assertNoticed(pool, "127.0.0.2:9", "127.0.0.3:9");
    }
  }

  /** As Kubernetes updates a mounted ConfigMap: the file's folder is a link that changes. */
  @Test
  void link_thatIsSwapped_isNoticedWithinASecond() throws Exception {
    for (String version : List.of("one", "two")) {
      Files.createDirectory(folder.resolve(version));
    }
    Files.writeString(folder.resolve("one/upstreams.yml"), list("127.0.0.2:9"));
    Files.writeString(folder.resolve("two/upstreams.yml"), list("127.0.0.3:9"));
    Files.createSymbolicLink(folder.resolve("..data"), Path.of("one"));
    Files.createSymbolicLink(file(), Path.of("..data/upstreams.yml"));
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      Path next = Files.createSymbolicLink(folder.resolve("..new"), Path.of("two"));
      Files.move(next, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
      assertNoticed(pool, "127.0.0.3:9");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|an empty file (expected: a list",
        "upstreams: []|a map (expected: a list",
        "- 127.0.0.3:9|upstreams[0]: 127.0.0.3:9 (expected: a map of keys such as address)",
        "- {adress: '127.0.0.3:9'}|upstreams[0].adress: unknown key; did you mean address?",
        "- {address: '127.0.0.3:9', weight: 0}|upstreams[0].weight: 0",
        "'[{address: \"127.0.0.3:9\"}'|not YAML",
      })
  void file_thatIsBroken_isReportedWhileTheLastGoodListStays(String text, String problem)
      throws Exception {
    write("127.0.0.2:9");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      Files.writeString(file(), text);
      String failed = "failed " + file() + " " + file() + ":1:";
      pool.awaitEvent(failed);
      assertThat(pool.events)
          .anySatisfy(event -> assertThat(event).startsWith(failed).contains(problem));
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");

      write("127.0.0.4:9");
      pool.awaitAddresses("127.0.0.4:9");
      assertThat(pool.manager.discoveryProblem()).isEmpty();
    }
  }

  @Test
  void file_thatVanishes_leavesTheLastGoodList_andAnEmptyListIsEmpty() throws Exception {
    write("127.0.0.2:9");
    try (var pool = pool()) {
      pool.awaitAddresses("127.0.0.2:9");
      Files.delete(file());
      pool.awaitEvent("failed " + file() + " " + file() + ": no such file");
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
      Files.writeString(file(), "[]");
      pool.awaitAddresses();
    }
  }

  @Test
  void file_thatDoesNotExistYet_isReadOnceItDoes() throws Exception {
    try (var pool = pool()) {
      pool.awaitEvent("failed " + file() + " " + file() + ": no such file");
      write("127.0.0.2:9");
      pool.awaitAddresses("127.0.0.2:9");
    }
  }

  private static void assertNoticed(RecordedPool pool, String... addresses) {
    Awaitility.await().atMost(NOTICED_WITHIN).until(pool::addresses, List.of(addresses)::equals);
  }

  private void write(String... addresses) throws IOException {
    Files.writeString(file(), list(addresses));
  }

  private static String list(String... addresses) {
    StringBuilder list = new StringBuilder();
    for (String address : addresses) {
      list.append("- {address: '").append(address).append("'}\n");
    }
    return list.toString();
  }
}
