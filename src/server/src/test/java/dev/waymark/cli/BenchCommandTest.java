package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BenchCommandTest {
  private final StringWriter err = new StringWriter();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''                               | which HOST:PORT?
          127.0.0.1                        | 127.0.0.1 (expected: HOST:PORT,
          :7000                            | :7000 (expected: HOST:PORT,
          ::1:7000                         | ::1:7000 (expected: an IPv6 address in brackets,
          a:b                              | a:b (expected: port 0 to 65535)
          a:70000                          | a:70000 (expected: port 0 to 65535)
          a:123456                         | a:123456 (expected: port 0 to 65535)
          a:                               | a: (expected: port 0 to 65535)
          127.0.0.1:1 --size=0             | --size: 0 (expected: 1 to 16MiB,
          127.0.0.1:1 --sizes=64,17MiB     | --size: 17MiB (expected: 1 to 16MiB,
          127.0.0.1:1 --connections=0      | --connections: 0 (expected: 1 to 1000000)
          127.0.0.1:1 --window=2000        | --window: 2000 (expected: 1 to 1024)
          127.0.0.1:1 --window=1024 --connections=100000 | --connections times --window: at most
          127.0.0.1:1 --connect-burst --idle       | --connect-burst and --idle exclude each other
          127.0.0.1:1 --idle --rate=5      | --idle and --rate exclude each other
          127.0.0.1:1 --seconds=NaN        | --seconds: NaN (expected: 0.001 to 86400)
          127.0.0.1:1 --seconds=2w         | Invalid value for option
          127.0.0.1:1 --seconds=25h        | --seconds: 90000 (expected: 0.001 to 86400)
          127.0.0.1:1 --warmup=1x          | Invalid value for option '--warmup': '1x' (expected: seconds, such as 30, or 500ms, 30s, 5m or 1h)
          127.0.0.1:1 --interval=5ms       | --interval: 5 (expected: 10 to 60000)
          127.0.0.1:1 --interval=2m        | --interval: 120000 (expected: 10 to 60000)
          127.0.0.1:1 --rate=-1            | --rate: -1 (expected: 0 to 10000000)
          127.0.0.1:1 --source=localhost   | --source: localhost (expected: an address or a network
          127.0.0.1:1 --json=/nowhere/file | --json: cannot write to /nowhere/file
          --serve-echo=7000                | --serve-echo: 7000 (expected: HOST:PORT,
          """)
  void usage_invalid_isRefusedInOneLine(String flags, String message) {
    assertThat(run(flags)).isEqualTo(2);
    assertThat(err.toString().lines()).hasSize(2).last().isEqualTo("Try 'waymark bench --help'.");
    assertThat(err.toString()).startsWith(message);
  }

  private int run(String flags) {
    String[] args =
        Stream.concat(Stream.of("bench"), Stream.of(flags.split(" ")).filter(f -> !f.isEmpty()))
            .toArray(String[]::new);
    return Main.commandLine(Map.of(), args).setErr(new PrintWriter(err)).execute(args);
  }
}
