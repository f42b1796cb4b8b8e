package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Optional;

/**
 * Drops every packet from and to a loopback address until it is closed: like a pulled cable, so
 * that no RST comes. Needs root and iptables.
 */
final class LostLink implements AutoCloseable {
  /** A separate address, to find out whether packets are really dropped. */
  private static final String PROBED = "127.254.254.254";

  private static final int PROBE_TIMEOUT_MS = 200;
  private static final Optional<String> MISSING = missing();

  private final String host;

  private LostLink(String host) {
    this.host = host;
  }

  /** Skips the test if packets cannot be dropped here. */
  static void assumePossible() {
    assumeTrue(MISSING.isEmpty(), () -> MISSING.orElse(""));
  }

  /** Returns why this does not work here. Tries it: iptables may accept a rule without effect. */
  private static Optional<String> missing() {
    if (run("-L", "INPUT") != 0) {
      return Optional.of("iptables does not work here; it needs root");
    }
    try (var server = new ServerSocket(0, 1, InetAddress.getByName(PROBED));
        LostLink link = to(PROBED);
        var client = new Socket()) {
      client.connect(server.getLocalSocketAddress(), PROBE_TIMEOUT_MS);
      return Optional.of("iptables accepts a rule, but packets to " + link.host + " still arrive");
    } catch (SocketTimeoutException dropped) {
      return Optional.empty();
    } catch (IOException | AssertionError refused) {
      return Optional.of("packets cannot be dropped with iptables here: " + refused.getMessage());
    }
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
    String[] line = new String[arguments.length + 4];
    // The path of a user who may use it need not contain it.
    line[0] = "sh";
    line[1] = "-c";
    line[2] = "PATH=$PATH:/usr/sbin:/sbin exec iptables -w \"$@\"";
    line[3] = "sh";
    System.arraycopy(arguments, 0, line, 4, arguments.length);
    return line;
  }
}
