package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the command refuses; AgentServicesTest has the values that a file may hold, too. */
final class AgentCommandTest {
  private static final String[] GOOD = {
    "agent",
    "--service=echo",
    "--address=10.0.0.7:4770",
    "--check=tcp",
    "--registry=directory://127.0.0.1:7400"
  };

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Main.commandLine(Map.of(), args)
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(args);
  }

  private void assertRefused(String firstLine, String... flags) {
    String[] args = Stream.concat(Arrays.stream(GOOD), Arrays.stream(flags)).toArray(String[]::new);
    assertThat(run(args)).isEqualTo(2);
    assertThat(err.toString().lines().findFirst()).contains(firstLine);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--registry=etcd://a:1 | --registry: etcd://a:1 (expected: a prefix, such as etcd://10.0.0.7:2379/waymark)",
        "--registry-username=x | --registry-username and --registry-password-file need each other",
        "--registry=nowhere | --registry: nowhere (expected: directory://SERVER:PORT[,SERVER:PORT] or etcd://SERVER:PORT[,SERVER:PORT]/PREFIX)",
        "--registry=directory://b:1,127.0.0.1:7400 | --registry: directory://127.0.0.1:7400: given twice",
        "--ttl=500ms | --ttl: 500ms (expected: 1s to 1h)",
        "--ttl=soon | --ttl: 'soon' is not a duration (expected: a number with ms, s, m or h, such as 100ms)",
        "--node=ü | --node: ü (expected: 1 to 253 printable ASCII characters)",
        "--label=x | --label: x (expected: NAME=TEXT, such as rack=r7)",
        "--weight=0 | --weight 0: expected a whole number from 1 to 1000",
        "--admin=x | --admin: x (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)",
        "--config=a.yml | --service and --config exclude each other; describe the service in the file",
        "--registry-ca=a.pem | --registry-ca, --registry-certificate, --registry-key and --registry-server-name need --registry-tls",
        "--token-file=/does/not/exist | --token-file: /does/not/exist: no such file"
      })
  void flag_withABadValue_isRefusedInOneLine(String flag, String line) {
    assertRefused(line, flag);
  }

  @Test
  void registry_missing_isNamed() {
    assertThat(run("agent", "--service=echo")).isEqualTo(2);
    assertThat(err.toString()).startsWith("Missing required option: '--registry=REGISTRY'\n");
  }

  @Test
  void filesForTls_thatCannotBeUsed_nameTheFlags(@TempDir Path folder) {
    Path missing = folder.resolve("ca.pem");
    assertRefused(
        "--registry-ca: " + missing + ": no such file; check the path",
        "--registry-tls",
        "--registry-ca=" + missing);
    assertRefused(
        "--registry-ca: " + missing + ": no such file; check the path",
        "--registry-tls",
        "--registry-key=a.key");
  }

  @Test
  void help_namesEveryFlagWithItsDefault() {
    assertThat(run("agent", "--help")).isZero();
    assertThat(out.toString())
        .contains("--check=CHECK", "(default: 2s)", "--registry=REGISTRY", "(default: 10s)");
  }
}
