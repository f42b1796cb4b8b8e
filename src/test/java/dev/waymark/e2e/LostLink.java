package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A loopback address to and from which every packet is dropped until it is closed: as if a cable
 * was pulled, so that no RST comes. Needs root and iptables.
 */
final class LostLink implements AutoCloseable {
  private static final Path IPTABLES = Path.of("/usr/sbin/iptables");

  private final String host;

  private LostLink(String host) {
    this.host = host;
  }

  /** Skips the test where it is not. */
  static void assumePossible() {
    assumeTrue(
        Files.isExecutable(IPTABLES) && run("-L", "INPUT") == 0,
        "packets are dropped with iptables, which needs root: not here");
  }

  static LostLink to(String host) {
    LostLink link = new LostLink(host);
    link.change("-I");
    return link;
  }

  @Override
  public void close() {
    change("-D");
  }

  private void change(String how) {
    for (String end : List.of("-s", "-d")) {
      assertThat(run(how, "INPUT", end, host, "-p", "tcp", "-j", "DROP"))
          .as("iptables %s %s %s", how, end, host)
          .isZero();
    }
  }

  private static int run(String... arguments) {
    try (Waymark iptables = Waymark.program(withWait(arguments)).start()) {
      return iptables.exitCode();
    }
  }

  private static String[] withWait(String... arguments) {
    String[] line = new String[arguments.length + 2];
    line[0] = IPTABLES.toString();
    line[1] = "-w";
    System.arraycopy(arguments, 0, line, 2, arguments.length);
    return line;
  }
}
