package dev.waymark.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.waymark.config.BadValueException;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The literals are those that Go's package writes (see EtcdGoIT). */
class NamingValueTest {
  private static final Instance PLAIN =
      new Instance("echo", "10.0.0.1:50051", 1, 0, Map.of(), Health.HEALTHY, LoadReport.UNKNOWN);
  private static final Instance FULL =
      new Instance(
          "echo",
          "10.0.0.1:50051",
          3,
          2,
          Map.of("zone", "eu-1a", "note", "<a&b>"),
          Health.DRAINING,
          new LoadReport(0.75, 100, 7, 0.5, 1_250.5, 2));

  private static final String PLAIN_JSON =
      "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":null}";
  private static final String FULL_JSON =
      "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":{\"weight\":3,\"priority\":2,"
          + "\"labels\":{\"note\":\"\\u003ca\\u0026b\\u003e\",\"zone\":\"eu-1a\"},\"health\":\"DRAINING\","
          + "\"load\":{\"utilisation\":0.75,\"capacity\":100,\"inFlight\":7,\"memory\":0.5,"
          + "\"requestsPerSecond\":1250.5,\"errorsPerSecond\":2}}}";

  private static Instance read(String json) throws BadValueException {
    return NamingValue.read("echo", ByteString.copyFromUtf8(json));
  }

  @Test
  void instance_isWrittenAsGoDoes_andReadAgain() throws BadValueException {
    assertThat(NamingValue.write(PLAIN).toStringUtf8()).isEqualTo(PLAIN_JSON);
    assertThat(NamingValue.write(FULL).toStringUtf8()).isEqualTo(FULL_JSON);
    assertThat(read(PLAIN_JSON)).isEqualTo(PLAIN);
    assertThat(read(FULL_JSON)).isEqualTo(FULL);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":\"text\"}",
        "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":7}",
        "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":[1,[2]]}",
        "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":{\"weight\":\"a lot\",\"labels\":7,\"health\":null,\"load\":[]}}",
        "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":{\"weight\":1.5,\"priority\":-1,\"load\":{\"inFlight\":-7,\"memory\":\"x\"}}}",
        "{\"Op\":0,\"Addr\":\"10.0.0.1:50051\",\"Metadata\":{\"labels\":{\"no name\":\"x\",\"bell\":\"\\u0007\",\"list\":[]}}}",
        "{\"Op\":1,\"Addr\":\"10.0.0.1:50051\",\"More\":{}}",
        "{\"addr\":\"10.0.0.1:50051\"}",
        " {\"Addr\" : \"10.0.0.1:50051\" } \n"
      })
  void metadataAndFields_ofOthers_areIgnored(String json) throws BadValueException {
    assertThat(read(json)).isEqualTo(PLAIN);
  }

  @ParameterizedTest
  @CsvSource({"0,1", "5000,1000", "1e3,1000", "1e999999999,1", "-1e400,1"})
  void weight_outsideItsLimits_isTheNearest(String weight, int nearest) throws BadValueException {
    assertThat(read("{\"Addr\":\"a:1\",\"Metadata\":{\"weight\":" + weight + "}}").weight())
        .isEqualTo(nearest);
  }

  @Test
  void address_hasOneSpelling() throws BadValueException {
    assertThat(read("{\"Addr\":\"[0:0::1]:80\"}").address()).isEqualTo("[::1]:80");
    assertThat(read("{\"Addr\":\"Host.Example:80\"}").address()).isEqualTo("host.example:80");
    assertThat(read("{\"Addr\":\"unix:///run/echo\"}").address()).isEqualTo("unix:/run/echo");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "7",
        "\"10.0.0.1:1\"",
        "10.0.0.1:1",
        "{\"Addr\":\"a:1\"",
        "{\"Addr\":\"a:1\"} x",
        "{Addr:\"a:1\"}",
        "{\"Addr\":'a:1'}"
      })
  void value_thatIsNoObject_isRefused(String json) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(BadValueException.class)
        .hasMessage("a JSON object with an address in Addr");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|an address in Addr",
        "{\"Addr\":null}|an address in Addr",
        "{\"Addr\":{}}|an address in Addr",
        "{\"Addr\":\":80\"}|in Addr HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000",
        "{\"Addr\":\"a:99999\"}|in Addr port 1 to 65535",
        "{\"Addr\":\"0.0.0.0:80\"}|in Addr an address that others can reach, not that of all interfaces",
      })
  void value_withoutAUsableAddress_isRefused(String json, String expected) {
    assertThatThrownBy(() -> read(json)).isInstanceOf(BadValueException.class).hasMessage(expected);
  }

  @Test
  void value_thatIsTooLong_orNoText_isRefused() {
    ByteString large = ByteString.copyFromUtf8(" ".repeat(NamingValue.VALUE_BYTES_MAX + 1));
    assertThatThrownBy(() -> NamingValue.read("echo", large)).hasMessage("at most 32768 bytes");
    ByteString bytes = ByteString.copyFrom(new byte[] {'{', (byte) 0xff, '}'});
    assertThatThrownBy(() -> NamingValue.read("echo", bytes)).isInstanceOf(BadValueException.class);
    assertThatThrownBy(() -> read("[".repeat(30_000))).isInstanceOf(BadValueException.class);
    assertThatThrownBy(() -> read("{\"Addr\":\"a:1\",\"Metadata\":" + "[".repeat(30_000)))
        .isInstanceOf(BadValueException.class);
  }

  /** Any bytes give an instance or a reason, never another exception. */
  @Test
  void value_mutated_isReadOrRefused() {
    Random random = new Random(7);
    byte[] good = FULL_JSON.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = good.clone();
      for (int j = 0; j <= random.nextInt(4); j++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        assertThat(NamingValue.read("echo", ByteString.copyFrom(bytes)).service())
            .isEqualTo("echo");
      } catch (BadValueException refused) {
        assertThat(refused.expected()).isNotEmpty();
      }
    }
  }
}
