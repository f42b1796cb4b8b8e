package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Programs on a host whose default locale has its own digits. */
final class LanguageIT {
  private static final String EGYPT = "-Duser.language=ar -Duser.country=EG";
  private static final String THAILAND =
      "-Duser.language=th -Duser.country=TH -Duser.extensions=u-nu-thai";

  @Test
  void bridge_inALocaleWithOtherDigits_printsAscii() throws Exception {
    try (Waymark bridge =
        Waymark.command(
                "bridge", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--echo=127.0.0.1:0")
            .quick()
            .env("JAVA_TOOL_OPTIONS", EGYPT)
            .start()) {
      String admin = bridge.awaitLine("admin on http://(127\\.0\\.0\\.1:[0-9]+);").group(1);
      int port = Integer.parseInt(bridge.awaitLine("try it: nc 127.0.0.1 ([0-9]+)$").group(1));
      try (Client client = Client.connect(port)) {
        client.echo(10).reset();
      }
      bridge.awaitLineWith("connection-closed", "received-bytes=10");
      assertThat(new AdminPort(admin).get("/metrics")).isASCII();
      bridge.stop();
      assertThat(bridge.stdout() + bridge.stderr()).isASCII();
    }
  }

  @Test
  void usageErrors_inALocaleWithOtherDigits_areAscii() {
    try (Waymark bench =
        Waymark.command("bench", "127.0.0.1:1", "--connections=0")
            .quick()
            .env("JAVA_TOOL_OPTIONS", THAILAND)
            .start()) {
      assertThat(bench.exitCode()).isEqualTo(2);
      assertThat(bench.stderr()).contains("--connections: 0 (expected: 1 to 1000000)").isASCII();
    }
  }
}
