package dev.waymark.tools.stub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.config.ConfigException;
import dev.waymark.protocol.CloseReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RulesFileTest {
  @TempDir Path folder;

  private Rules load(String yaml) throws IOException {
    Path file = folder.resolve("rules.yml");
    Files.writeString(file, yaml);
    return RulesFile.load(file);
  }

  @Test
  void rules_ofAllKinds_matchInOrder() throws IOException {
    Rules rules =
        load(
            """
            - equals: ping
              reply: pong
            - contains: slow
              reply: later
              delay: 100ms
            - regex: ^qu?it
              close: DONE
            - equals: poison
              crash: true
            - equals: stick
              hang: true
            """);
    assertThat(Objects.requireNonNull(rules.find("poison")).fault()).isEqualTo(Rules.Fault.CRASH);
    assertThat(Objects.requireNonNull(rules.find("stick")).fault()).isEqualTo(Rules.Fault.HANG);
    assertThat(Objects.requireNonNull(rules.find("ping\r\n")).reply()).isEqualTo("pong");
    assertThat(Objects.requireNonNull(rules.find("too slow")).delay())
        .isEqualTo(Duration.ofMillis(100));
    assertThat(Objects.requireNonNull(rules.find("quit now")).close()).isEqualTo(CloseReason.DONE);
    assertThat(rules.find("pingping")).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "- {equals: a, regexp: b}        | rules.yml:1:15: 'regexp' is not a key of a rule",
        "- {equals: a, contains: b}      | rules.yml:1:3: a rule must have one of equals, contains"
            + " and regex, not 2",
        "- {reply: a}                    | rules.yml:1:3: a rule must have one of equals, contains"
            + " and regex, not 0",
        "- {equals: a, delay: soon}      | rules.yml:1:22: delay: 'soon' is not a duration",
        "- {equals: a, close: LATER}     | rules.yml:1:22: close: 'LATER' is not a close reason for"
            + " upstreams",
        "- {equals: a, close: FENCED}    | rules.yml:1:22: close: 'FENCED' is not a close reason"
            + " for upstreams",
        "- {equals: a, crash: perhaps}   | rules.yml:1:22: crash: 'perhaps' is neither true nor"
            + " false",
        "- {equals: a, hang: true, reply: b} | rules.yml:1:3: a rule may have crash, or hang, or"
            + " reply",
        "- {regex: '('}                  | rules.yml:1:11: regex: Unclosed group",
        "- {equals: [a]}                 | rules.yml:1:12: equals: must be text",
        "equals: a                       | rules.yml:1:1: expected a list of rules",
        "- {equals: a                    | rules.yml:1:",
        "# nothing                       | rules.yml: is empty",
      })
  void rules_invalid_areRefusedWithTheirPosition(String yaml, String message) {
    assertThatThrownBy(() -> load(yaml))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(message);
  }

  @Test
  void file_missing_isRefusedByName() {
    assertThatThrownBy(() -> RulesFile.load(folder.resolve("none.yml")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("none.yml");
  }

  @Test
  void file_nestedEndlessly_isRefusedWithItsPosition() {
    assertThatThrownBy(() -> load("[".repeat(100_000)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("rules.yml:1:33: nested deeper than 32 levels");
  }

  @Test
  void file_directory_isRefusedByName() {
    assertThatThrownBy(() -> RulesFile.load(folder))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(folder + ": is a directory");
  }

  @Test
  void regex_backtrackingEndlessly_doesNotMatch() throws IOException {
    Rules rules = load("- {regex: '^(a+)+$', reply: x}");
    assertThat(rules.find("a".repeat(4000) + "!")).isNull();
  }
}
