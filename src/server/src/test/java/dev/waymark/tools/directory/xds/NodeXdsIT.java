package dev.waymark.tools.directory.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.e2e.Waymark;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The xDS client of grpc-js, {@code xds:///SERVICE} with nothing but a bootstrap file. */
class NodeXdsIT {
  private static final int NOT_AVAILABLE = 69;

  /** The check may fetch packages. */
  private static final Duration CHECK_TIMEOUT = Duration.ofMinutes(2);

  private static final String CLIENT =
      Path.of("misc", "interop", "xds", "run.sh").toAbsolutePath().toString();

  @Test
  void instances_areCalled_andChangesAreFollowed(@TempDir Path folder) throws Exception {
    try (Waymark check = Waymark.program(CLIENT, "--check").start()) {
      assumeTrue(check.exitCode(CHECK_TIMEOUT) != NOT_AVAILABLE, check.stderr());
    }
    Path bootstrap = folder.resolve("bootstrap.json");
    try (TestAdsServer ads = new TestAdsServer();
        NamedServer a = new NamedServer();
        NamedServer b = new NamedServer();
        NamedServer c = new NamedServer()) {
      Files.writeString(
          bootstrap,
          """
          {"xds_servers": [{"server_uri": "%s", "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
           "node": {"id": "grpc-js", "locality": {}}}
          """
              .formatted(ads.address()));
      ads.change(catalog -> catalog.put("echo", a.address(), b.address(), "host.invalid:80"));
      try (Waymark client =
          Waymark.program(CLIENT, "xds:///echo")
              .env("GRPC_XDS_BOOTSTRAP", bootstrap.toString())
              .start()) {
        client.awaitLine("from " + a.name());
        client.awaitLine("from " + b.name());
        ads.change(catalog -> catalog.put("echo", c.address()).remove("echo", a.address()));
        client.awaitLine("from " + c.name());
        assertThat(client.stdout()).doesNotContain("failed");
        assertThat(ads.streams()).extracting(StreamStatus::node).contains("grpc-js");
        client.kill();
      }
      assertThat(ads.events.all)
          .containsExactly(
              "unusable echo host.invalid:80: it has a host name; endpoints in xDS have IP addresses");
    }
  }
}
