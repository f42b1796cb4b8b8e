package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class AgentServicesTest {
  @TempDir private Path folder;

  private List<AgentService> file(String text) throws IOException {
    return AgentServices.read(Files.writeString(folder.resolve("agent.yml"), text));
  }

  private void assertRefused(String text, String... lines) throws IOException {
    Path file = Files.writeString(folder.resolve("agent.yml"), text);
    String expected = String.join("\n", lines).replace("FILE", file.toString());
    assertThatThrownBy(() -> AgentServices.read(file))
        .isInstanceOf(ConfigException.class)
        .hasMessage(expected);
  }

  private static AgentService flags(String... flagsAndValues) {
    Map<String, String> flags = new LinkedHashMap<>();
    flags.put("--service", "echo");
    flags.put("--address", "10.0.0.7:4770");
    flags.put("--check", "tcp");
    for (int i = 0; i < flagsAndValues.length; i += 2) {
      flags.put(flagsAndValues[i], flagsAndValues[i + 1]);
    }
    return AgentServices.ofFlags(flags);
  }

  @Test
  void flags_fewAndAll_areRead() {
    assertThat(flags())
        .isEqualTo(
            new AgentService(
                "echo",
                "10.0.0.7:4770",
                1,
                0,
                Map.of(),
                new ServiceCheck.Tcp(),
                Duration.ofSeconds(2),
                Duration.ofSeconds(1),
                2,
                3,
                AgentService.Load.NONE));
    AgentService all =
        flags(
            "--weight",
            "5",
            "--priority",
            "1",
            "--zone",
            "eu-1a",
            "--label rack",
            "r7",
            "--check-interval",
            "500ms",
            "--check-timeout",
            "200ms",
            "--rise",
            "1",
            "--fall",
            "10",
            "--load",
            "orca");
    assertThat(all.labels()).isEqualTo(Map.of("zone", "eu-1a", "rack", "r7"));
    assertThat(all.interval()).isEqualTo(Duration.ofMillis(500));
    assertThat(all.load()).isEqualTo(AgentService.Load.ORCA);
    assertThat(all.fall()).isEqualTo(10);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--weight | 0 | --weight 0: expected a whole number from 1 to 1000",
        "--priority | 101 | --priority 101: expected a whole number from 0 to 100",
        "--rise | 0 | --rise 0: expected a whole number from 1 to 100",
        "--fall | x | --fall x: expected a whole number from 1 to 100",
        "--service | a/b | --service a/b: expected 1 to 253 of A-Z, a-z, 0-9, ., _ and -",
        "--address | host | --address host: expected HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000",
        "--address | 0.0.0.0:1 | --address 0.0.0.0:1: expected an address that others can reach, not that of all interfaces",
        "--check | ping | --check ping: expected grpc, grpc:SERVICE, tcp, http:/PATH, http://HOST:PORT/PATH, command:COMMAND or none",
        "--check | http:x | --check http:x: expected http:/PATH or http://HOST:PORT/PATH, such as http:/healthz",
        "--check-interval | 99ms | --check-interval 99ms: expected a duration from 100ms to 1h",
        "--check-timeout | 0 | --check-timeout 0: expected a duration up to 1h, such as 500ms, 30s or 5m",
        "--load | cpu | --load cpu: expected none, orca",
        "--label a% | x | --label a% x: expected a name of 1 to 63 of A-Z, a-z, 0-9, ., _, / and -"
      })
  void flag_withABadValue_isRefusedInOneLine(String flag, String value, String line) {
    assertThatThrownBy(() -> flags(flag, value))
        .isInstanceOf(ConfigException.class)
        .hasMessage(line);
  }

  @Test
  void flags_withoutWhatIsRequired_nameIt() {
    assertThatThrownBy(() -> AgentServices.ofFlags(Map.of()))
        .hasMessage("--service: missing (expected: 1 to 253 of A-Z, a-z, 0-9, ., _ and -)");
    assertThatThrownBy(
            () -> AgentServices.ofFlags(Map.of("--service", "echo", "--address", "10.0.0.7:1")))
        .hasMessage(
            "--check: missing (expected: grpc, grpc:SERVICE, tcp, http:/PATH,"
                + " http://HOST:PORT/PATH, command:COMMAND or none)");
  }

  @Test
  void file_withSeveralServices_isRead() throws IOException {
    List<AgentService> read =
        file(
            """
            - service: echo
              address: 10.0.0.7:4770
              check: grpc:waymark.v1.Upstream
              zone: eu-1a
              labels: {rack: r7}
            - {service: web, address: "[FD00::1]:80", check: "http:/healthz", check-interval: 5s}
            - {service: redis, address: Redis.internal:6379, check: "command:redis-cli ping"}
            """);
    assertThat(read).extracting(AgentService::service).containsExactly("echo", "web", "redis");
    assertThat(read.get(0).check()).isEqualTo(new ServiceCheck.Grpc("waymark.v1.Upstream"));
    assertThat(read.get(0).labels()).isEqualTo(Map.of("rack", "r7", "zone", "eu-1a"));
    assertThat(read.get(1).address()).isEqualTo("[fd00::1]:80");
    assertThat(read.get(2).address()).isEqualTo("redis.internal:6379");
    assertThat(read.get(2).check()).isEqualTo(new ServiceCheck.Command("redis-cli ping"));
  }

  @Test
  void file_withMistakes_namesLineAndColumnOfEach() throws IOException {
    assertRefused(
        """
        - service: echo
          address: 10.0.0.7
          check: tcp
        - address: 10.0.0.8:1
          check: tcp
          rise: 0
        """,
        "FILE:2:12: services[0].address: 10.0.0.7 (expected: HOST:PORT, such as 127.0.0.1:7000 or"
            + " [::1]:7000)",
        "FILE:4:3: services[1].service: missing (expected: 1 to 253 of A-Z, a-z, 0-9, ., _ and -)",
        "FILE:6:9: services[1].rise: 0 (expected: a whole number from 1 to 100)");
  }

  @Test
  void file_withAnUnknownKey_namesTheOneThatIsMeant() throws IOException {
    assertRefused(
        "- {service: echo, weigth: 3}",
        "FILE:1:19: services[0].weigth: unknown key; did you mean weight?");
  }

  @Test
  void file_withTheSameInstanceTwice_isRefused() throws IOException {
    assertRefused(
        """
        - {service: echo, address: "host:1", check: none}
        - {service: web, address: "host:1", check: none}
        - {service: echo, address: "HOST:1", check: none}
        """,
        "FILE:3:28: services[2].address: HOST:1 (expected: each instance of a service only once)");
  }

  @Test
  void file_withoutServices_isRefused() throws IOException {
    assertRefused("[]", "FILE:1:1: no service (expected: 1 to 1000)");
    assertRefused(
        "services: []",
        "FILE:1:1: a map (expected: a list, each element on a line that starts with -; [] for"
            + " none)");
  }

  @Test
  void path_withoutAHost_isRefused() throws IOException {
    assertRefused(
        "[{service: echo, address: 'unix:/run/echo', check: 'http:/x'}]",
        "FILE:1:52: services[0].check: http:/x (expected: another check, or a URL: the address is"
            + " no HOST:PORT)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "grpc",
        "grpc:a.b.C",
        "tcp",
        "none",
        "http:/healthz?full=1",
        "http://10.0.0.7:8080/healthz",
        "https://web.internal/",
        "command:test -e /run/ready"
      })
  void check_isWrittenAsItWasRead(String text) {
    assertThat(flags("--check", text).check().text()).isEqualTo(text);
  }

  @Test
  void check_ofAUrlWithItsKind_isTheSameAsTheUrl() {
    assertThat(flags("--check", "http:http://h:1/x").check())
        .isEqualTo(flags("--check", "http://h:1/x").check());
  }

  @Test
  void path_isAskedForAtTheServicesAddress() {
    ServiceCheck.Http check = (ServiceCheck.Http) flags("--check", "http:/a?b=c").check();
    assertThat(check.at("[::1]:80")).isEqualTo(URI.create("http://[::1]:80/a?b=c"));
    ServiceCheck.Http url = (ServiceCheck.Http) flags("--check", "https://h/x").check();
    assertThat(url.at("[::1]:80")).isEqualTo(URI.create("https://h/x"));
  }
}
