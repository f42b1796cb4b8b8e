package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Request;
import dev.waymark.tools.bench.BenchException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

final class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Map<String, String> environment = Map.of();

  @Command(name = "fail")
  static final class Fail implements Runnable {
    @Override
    public void run() {
      throw new IllegalStateException("a first line\nand a second");
    }
  }

  @Command(name = "misuse")
  static final class Misuse implements Runnable {
    @Override
    public void run() {
      throw new BenchException("no such target; name another");
    }
  }

  private int run(String... args) {
    CommandLine main = Main.commandLine(environment, args);
    main.addSubcommand(new Fail()).addSubcommand(new Misuse());
    return main.setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(args);
  }

  @Test
  void flag_unknown_printsOneLineAndHint() {
    assertThat(run("config", "show", "--amin", "x")).isEqualTo(2);
    assertThat(err)
        .hasToString(
            "unknown flag --amin; did you mean --admin?\nTry 'waymark config show --help'.\n");
  }

  @ParameterizedTest
  @CsvSource({
    "--tls-client-ca, listeners[].tls.client-ca",
    "--client-auth, listeners[].tls.client-auth",
    "--key-permissions, listeners[].tls.key-permissions"
  })
  void flag_thatOnlyAKeyIs_namesTheKey(String flag, String key) {
    assertThat(run("bridge", flag, "x")).isEqualTo(2);
    assertThat(err.toString())
        .startsWith("unknown flag " + flag + "; set the key " + key + " in the file of --config\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "stub | --key-permissions | strict or any",
        "egress | --to-missing-close-notify | lost or end"
      })
  void flag_withAWordThatItDoesNotTake_namesThoseThatItTakes(
      String command, String flag, String words) {
    assertThat(run(command, flag, "foo")).isEqualTo(2);
    assertThat(err.toString()).startsWith(flag + ": foo (expected: " + words + ")\n");
  }

  @Test
  void egress_withFilesForTlsThatCannotBeUsed_namesTheFlags(@TempDir Path folder)
      throws IOException {
    Authority.Issued one = Authority.root(folder, "root").issue(Request.server("one.example"));
    Path missing = folder.resolve("missing");
    String[] flags = {
      "egress",
      "--to=a:1",
      "--to-tls",
      "--to-ca=" + missing,
      "--to-certificate=" + one.certificate()
    };
    assertThat(run(flags)).isEqualTo(2);
    assertThat(err)
        .hasToString(
            "--to-ca: "
                + missing
                + ": no such file; check the path\n--to-certificate: "
                + one.certificate()
                + ": has no private key (-----BEGIN PRIVATE KEY-----); add it, or name the file"
                + " that has it with --to-key\n");
  }

  @Test
  void stub_withFilesForTlsThatCannotBeUsed_namesTheFlags(@TempDir Path folder) throws IOException {
    Authority.Issued one = Authority.root(folder, "root").issue(Request.server("one.example"));
    Path missing = folder.resolve("missing");
    assertThat(run("stub", "--tls-certificate=" + one.certificate(), "--tls-client-ca=" + missing))
        .isEqualTo(2);
    assertThat(err)
        .hasToString(
            "--tls-certificate: "
                + one.certificate()
                + ": has no private key (-----BEGIN PRIVATE KEY-----); add it, or name the file"
                + " that has it with --tls-key\n--tls-client-ca: "
                + missing
                + ": no such file; check the path\n");
  }

  @Test
  void failure_thatTheUserCanMend_pointsAtNoCode() {
    assertThat(run("misuse")).isEqualTo(1);
    assertThat(err).hasToString("waymark: no such target; name another\n");
  }

  @Test
  void command_unknown_printsOneLineAndHint() {
    assertThat(run("confg")).isEqualTo(2);
    assertThat(err)
        .hasToString("unknown command confg; did you mean config?\nTry 'waymark --help'.\n");
  }

  @Test
  void command_missing_printsOneLineAndHint() {
    assertThat(run()).isEqualTo(2);
    assertThat(err).hasToString("Missing required subcommand\nTry 'waymark --help'.\n");
  }

  @Test
  void failure_unexpected_printsOneLine() {
    assertThat(run("fail")).isEqualTo(1);
    assertThat(err).hasToString("waymark: a first line and a second (--debug shows where)\n");
  }

  @Test
  void failure_debugFlag_printsStackTrace() {
    assertThat(run("fail", "--debug")).isEqualTo(1);
    assertThat(err.toString())
        .startsWith("waymark: a first line and a second\n")
        .contains("\tat dev.waymark.cli.MainTest");
  }

  @Test
  void failure_debugVariable_printsStackTrace() {
    environment = Map.of("WAYMARK_DEBUG", "1");
    assertThat(run("fail")).isEqualTo(1);
    assertThat(err.toString()).contains("\tat dev.waymark.cli.MainTest");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"bridge", "egress", "stub", "demo", "bench", "config", "health", "ctl", "train"})
  void command_byName_isOnlyOneCreatedAndHasHelp(String command) {
    assertThat(Main.commandLine(environment, command, "--help").getSubcommands())
        .containsOnlyKeys(command);
    assertThat(run(command, "--help")).isZero();
    assertThat(out.toString()).contains("waymark " + command, "--debug");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "--version",
        "config show",
        "config schema",
        "bridge --help",
        "stub --version"
      })
  void output_unwritable_exitsWith1AndOneLine(String command) {
    String[] args = command.split(" ");
    Writer full =
        new Writer() {
          @Override
          public void write(char[] chars, int offset, int length) throws IOException {
            throw new IOException("No space left on device");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    CommandLine main =
        Main.commandLine(environment, args)
            .setOut(new PrintWriter(full))
            .setErr(new PrintWriter(err));
    assertThat(Main.run(main, () -> false, args)).isEqualTo(1);
    assertThat(err.toString()).contains("standard output cannot be written");
  }

  @Test
  void output_queuedAndLost_exitsWith1() {
    String[] args = {"config", "show"};
    CommandLine main = Main.commandLine(environment, args).setOut(new PrintWriter(out));
    main.setErr(new PrintWriter(err));
    assertThat(Main.run(main, () -> true, args)).isEqualTo(1);
  }

  @Test
  void configSchema_isJson() {
    assertThat(run("config", "schema")).isZero();
    JsonObject schema = JsonParser.parseString(out.toString()).getAsJsonObject();
    assertThat(schema.getAsJsonObject("properties").keySet())
        .contains("listeners", "pools", "lanes", "shards");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void help_withoutCommand_listsAllCommands() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString()).contains("bridge", "stub", "demo", "bench", "config", "health");
  }

  @Test
  void help_dumbTerminal_hasNoEscapeSequences() {
    environment = Map.of("TERM", "dumb");
    assertThat(Main.commandLine(environment, "demo").getSubcommands().values())
        .allMatch(demo -> demo.getColorScheme().ansi() == CommandLine.Help.Ansi.OFF);
  }

  @Test
  void environment_given_replacesThatOfTheProcess() {
    environment = Map.of("WAYMARK_ADMIN", "127.0.0.9:1");
    assertThat(run("--debug", "config", "show")).isZero();
    assertThat(out.toString()).contains("address: 127.0.0.9:1");
  }

  @Test
  void check_validFile_countsListenersAndPools(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("a.yml"), "listeners:\n- {name: a}\n- {name: b, address: \":1\"}\n");
    assertThat(run("config", "check", file.toString())).isZero();
    assertThat(out).hasToString(file + ": ok (2 listeners, 1 pool)\n");
  }

  @Test
  void check_invalidFile_printsOnlyTheMessage(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("a.yml"), "shard: 1\n");
    assertThat(run("config", "check", file.toString())).isEqualTo(2);
    assertThat(out).hasToString("");
    assertThat(err).hasToString(file + ":1:1: shard: unknown key; did you mean shards?\n");
  }

  @Test
  void check_invalidWithThisEnvironment_isRefused(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("a.yml"), "listeners:\n- {name: a}\n- {name: b, address: \":1\"}\n");
    environment = Map.of("WAYMARK_LISTEN", ":3", "WAYMARK_COMMIT", "x");
    assertThat(run("config", "check", file.toString())).isEqualTo(2);
    assertThat(out).hasToString("");
    assertThat(err)
        .hasToString(
            "environment WAYMARK_LISTEN=:3: expected a file with at most one entry in listeners; "
                + file
                + " has 2 (a, b): set the addresses there\n");
  }

  @Test
  void check_validFile_warnsLikeABridge(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("a.yml"), "shards: 1\n");
    environment = Map.of("WAYMARK_COMMIT", "x");
    assertThat(run("config", "check", file.toString())).isZero();
    assertThat(err.toString()).startsWith("warning: environment WAYMARK_COMMIT: unknown variable");
  }

  @Test
  void check_budgetTooLarge_warnsLikeABridge(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("large.yml");
    Files.writeString(file, "memory-budget: 1024GiB\n");
    assertThat(run("config", "show", "--config", file.toString())).isZero();
    assertThat(err.toString()).contains("memory-budget: 1024GiB does not fit in");
    String warned = err.toString();
    err.getBuffer().setLength(0);
    assertThat(run("config", "check", file.toString())).isZero();
    assertThat(err).hasToString(warned);
  }

  @Test
  void argument_startingWithAt_isNotReadAsFile(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("args"), "--shards 3");
    assertThat(run("config", "show", "--node", "@" + file)).isZero();
    assertThat(out.toString()).contains("node: \"@" + file).doesNotContain("shards: 3");
  }

  @Test
  void show_withFlags_namesSourceOfEachValue() {
    assertThat(run("config", "show", "--admin", "127.0.0.1:0", "--upstream=unix:/a")).isZero();
    assertThat(out.toString())
        .containsPattern("admin:\n  address: 127.0.0.1:0 +# flag --admin\n")
        .containsPattern("    target: unix:/a +# flag --upstream\n")
        .containsPattern("shards: 0 +# default\n");
  }
}
