package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bridge and stub write to a pipe that nobody reads. */
final class UnreadOutputIT {
  /** Capacity of a pipe on Linux. */
  private static final int PIPE_BYTES = 64 * 1024;

  private static final Duration SOON = Duration.ofSeconds(10);

  @TempDir Path folder;

  @Test
  void pipe_full_delaysNeitherClientsNorProbesNorShutdown() throws Exception {
    Path pipe = pipe();
    int upstream = Waymark.freePort();
    int port = Waymark.freePort();
    int admin = Waymark.freePort();
    try (RandomAccessFile unread = new RandomAccessFile(pipe.toFile(), "rw")) {
      unread.write(new byte[PIPE_BYTES]);
      try (Waymark stub =
              start(pipe, "stub", "--listen=127.0.0.1:" + upstream, "--admin=127.0.0.1:0");
          Waymark bridge =
              start(
                  pipe,
                  "bridge",
                  "--listen=127.0.0.1:" + port,
                  "--admin=127.0.0.1:" + admin,
                  "--upstream=static:///127.0.0.1:" + upstream)) {
        bridge.awaitOk("http://127.0.0.1:" + admin + "/readyz");
        try (Client client = Client.connect(port)) {
          client.echo(100);
        }
        bridge.signal("TERM");
        assertThat(bridge.exitCode(SOON)).isZero();
        stub.signal("TERM");
        assertThat(stub.exitCode(SOON)).isZero();
      }
    }
  }

  private static Waymark start(Path pipe, String... args) {
    return Waymark.command(args).quick().outputTo(pipe).start();
  }

  private Path pipe() throws IOException {
    Path pipe = folder.resolve("pipe");
    assertThat(Waymark.program("mkfifo", pipe.toString()).start().exitCode()).isZero();
    return pipe;
  }
}
