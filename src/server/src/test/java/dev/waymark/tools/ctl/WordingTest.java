package dev.waymark.tools.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordingTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0.0 s",
    "1234, 1.2 s",
    "9949, 9.9 s",
    "10000, 10 s",
    "119999, 119 s",
    "120000, 2 min",
    "7199999, 119 min",
    "7200000, 2 h",
    "172800000, 2 d"
  })
  void time_hasTheUnitThatItsLengthCallsFor(long ms, String text) {
    assertThat(Wording.time(ms)).isEqualTo(text);
  }

  @Test
  void fields_ofOtherKinds_areEmpty() {
    Fields fields =
        new Fields((JsonObject) JsonParser.parseString("{\"a\": [], \"b\": null, \"c\": \"x\"}"));
    for (String name : List.of("a", "b", "c", "missing")) {
      assertThat(fields.number(name)).isEmpty();
      assertThat(fields.count(name)).isZero();
      assertThat(fields.isTrue(name)).isFalse();
      assertThat(fields.list(name)).isEmpty();
      assertThat(fields.map(name)).isEmpty();
    }
    assertThat(fields.text("a")).isEmpty();
  }

  @Test
  void text_hasNoControlCharacters() {
    JsonObject json = new JsonObject();
    json.addProperty("a", "x\u001b[31m\r\ny\u202e");
    assertThat(new Fields(json).text("a")).isEqualTo("x?[31m??y?");
  }

  @Test
  void columns_areAlignedAndEndWithoutSpaces() {
    Columns table = new Columns("A", "LONG");
    table.add("value", "");
    table.add("", "x");
    assertThat(table.text()).isEqualTo("A      LONG\nvalue\n       x\n");
  }

  @Test
  void blocks_wrapTextsInTheirColumn() {
    Blocks blocks = new Blocks();
    blocks.title("one");
    blocks.row("label", "word ".repeat(30).strip());
    blocks.title("two");
    blocks.row("", "x".repeat(200));
    assertThat(blocks.text())
        .isEqualTo(
            "one\n  label  "
                + "word ".repeat(18).strip()
                + "\n         "
                + "word ".repeat(12).strip()
                + "\n\ntwo\n         "
                + "x".repeat(200)
                + "\n");
    assertThat(blocks.text().lines().limit(3)).allMatch(line -> line.length() <= 100);
  }

  @ParameterizedTest
  @CsvSource({
    "echo, echo, ",
    "echo/10.0.0.7:4770, echo, 10.0.0.7:4770",
    "echo/[::1]:4770, echo, [::1]:4770",
    "echo/unix:/run/a.sock, echo, unix:/run/a.sock",
    "services/echo, services/echo, ",
    "services/echo/host:1, services/echo, host:1",
    "/etc/upstreams.yml, /etc/upstreams.yml, ",
  })
  void query_isAServiceAndPerhapsAnAddress(String text, String service, String address) {
    ExplainQuery query = ExplainQuery.read(text);
    assertThat(query.service()).isEqualTo(service);
    assertThat(query.address().orElse(null)).isEqualTo(address);
  }
}
