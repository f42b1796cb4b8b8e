package dev.waymark.upstreams.discovery;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.gson.JsonParseException;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.upstreams.discovery.EndpointSlice.Condition;
import dev.waymark.upstreams.discovery.EndpointSlice.Member;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SliceJsonTest {
  private static final String SLICE =
      """
      {"metadata": {"name": "a", "resourceVersion": "8"}, "addressType": "IPv4",
       "endpoints": [%s], "ports": [{"name": "grpc", "port": 9, "protocol": "TCP"}]}
      """;

  private static final SliceJson BY_NAME = new SliceJson("grpc");

  @Test
  void list_asTheApiServerPrintsIt_givesAddressesPortsAndZones() throws Exception {
    SlicePage page = BY_NAME.page(recorded());
    assertThat(page.version()).isEqualTo("184467");
    assertThat(page.next()).isEmpty();
    assertThat(page.slices())
        .containsExactly(
            new EndpointSlice(
                "echo-2xk7p",
                List.of(
                    new Member(zoned("10.244.1.17:4770", "eu-1a"), Condition.READY),
                    new Member(zoned("10.244.2.9:4770", "eu-1b"), Condition.TERMINATING),
                    new Member(zoned("10.244.3.4:4770", "eu-1c"), Condition.NOT_READY)),
                3,
                true),
            new EndpointSlice(
                "echo-v6-b8mnd",
                List.of(
                    new Member(
                        new Endpoint("[fd00:10:244:1::11]:4771", 1, Map.of()), Condition.READY)),
                1,
                true),
            new EndpointSlice("echo-empty", List.of(), 0, false),
            new EndpointSlice("echo-fqdn", List.of(), 0, true));
  }

  private static Endpoint zoned(String address, String zone) {
    return new Endpoint(address, 1, Map.of("zone", zone));
  }

  @Test
  void port_asANumber_isThatOfEveryEndpoint() throws Exception {
    SlicePage page = new SliceJson("7070").page(recorded());
    assertThat(page.slices())
        .flatExtracting(EndpointSlice::members)
        .filteredOn(Member::isReady)
        .extracting(member -> member.endpoint().address())
        .containsExactly("10.244.1.17:7070", "[fd00:10:244:1::11]:7070");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|READY",
        "{\"ready\": null}|READY",
        "{\"ready\": true, \"terminating\": false}|READY",
        "{\"ready\": false, \"serving\": true}|NOT_READY",
        "{\"ready\": true, \"serving\": true, \"terminating\": true}|TERMINATING",
        "{\"ready\": []}|NOT_READY",
      })
  void endpoint_isReady_unlessItSaysOtherwiseOrTerminates(String conditions, Condition condition)
      throws Exception {
    String endpoint = "{\"addresses\": [\"10.0.0.1\"], \"conditions\": " + conditions + "}";
    assertThat(put(endpoint).members()).extracting(Member::condition).containsExactly(condition);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1",
        "null",
        "{}",
        "{\"addresses\": []}",
        "{\"addresses\": [null]}",
        "{\"addresses\": [[]]}",
        "{\"addresses\": \"10.0.0.9\"}",
        "{\"addresses\": [\"\"]}",
        "{\"addresses\": [\"10.0.0\"]}",
        "{\"addresses\": [\"10.0.0.9:1\"]}",
        "{\"addresses\": [\"pod.example.com\"]}",
        "{\"addresses\": [\"fe80::1\"]}",
        "{\"addresses\": [\"fe80::1%eth0\"]}",
      })
  void endpoint_thatCannotBeRead_costsOnlyItself(String broken) throws Exception {
    assertThat(put(broken + ", {\"addresses\": [\"10.0.0.1\", \"10.0.0.2\"]}").members())
        .containsExactly(new Member(new Endpoint("10.0.0.1:9", 1, Map.of()), Condition.READY));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "[]",
        "[{\"name\": \"http\", \"port\": 9}]",
        "[{\"name\": \"grpc\", \"port\": null}]",
        "[{\"name\": \"grpc\", \"port\": 9, \"protocol\": \"UDP\"}]",
      })
  void slice_withoutTheNamedPort_hasNoUpstream(String ports) throws Exception {
    String slice =
        SLICE
            .formatted("{\"addresses\": [\"10.0.0.1\"]}")
            .replaceFirst("\"ports\": .*", "\"ports\": " + ports + "}");
    EndpointSlice read = ((WatchEvent.Put) BY_NAME.event(event("ADDED", slice))).slice();
    assertThat(read).isEqualTo(new EndpointSlice("a", List.of(), 1, false));
  }

  @Test
  void slice_withoutAName_costsOnlyItself() {
    String list =
        "{\"metadata\": {\"resourceVersion\": \"1\", \"continue\": \"x\"}, \"items\": [{}, 1, "
            + SLICE.formatted("")
            + "]}";
    SlicePage page = BY_NAME.page(list.getBytes(UTF_8));
    assertThat(page.next()).isEqualTo("x");
    assertThat(page.slices()).extracting(EndpointSlice::name).containsExactly("a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "<html>", "[]", "{}", "{\"metadata\": {}, \"items\": []}", "{\"items\""})
  void answer_thatIsNoList_isRefused(String text) {
    assertThatThrownBy(() -> BY_NAME.page(text.getBytes(UTF_8)))
        .isInstanceOf(JsonParseException.class);
  }

  @Test
  void event_ofEachType_isRead() throws Exception {
    assertThat(BY_NAME.event(event("MODIFIED", SLICE.formatted(""))))
        .isEqualTo(new WatchEvent.Put("8", new EndpointSlice("a", List.of(), 0, true)));
    assertThat(BY_NAME.event(event("DELETED", SLICE.formatted(""))))
        .isEqualTo(new WatchEvent.Deleted("8", "a"));
    assertThat(BY_NAME.event(event("BOOKMARK", "{\"metadata\": {\"resourceVersion\": \"12\"}}")))
        .isEqualTo(new WatchEvent.Bookmark("12"));
  }

  @ParameterizedTest
  @CsvSource({"410, EXPIRED", "500, FAILED"})
  void event_ofAnError_saysWhatIsLeftToDo(int code, ApiException.End end) {
    byte[] line =
        event("ERROR", "{\"kind\": \"Status\", \"message\": \"too old\", \"code\": " + code + "}");
    ApiException failure = catchThrowableOfType(ApiException.class, () -> BY_NAME.event(line));
    assertThat(failure.end()).isEqualTo(end);
    assertThat(failure.problem().text()).isEqualTo("the watch failed: too old");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "garbage",
        "{\"type\": \"ADDED\"",
        "{\"type\": \"ADDED\", \"object\": {\"metadata\": {\"resourceVersion\": \"8\"}}}",
        "{\"type\": \"ADDED\", \"object\": {\"metadata\": {\"name\": \"a\"}}}",
        "{\"type\": \"SPLIT\", \"object\": {\"metadata\": {\"name\": \"a\", \"resourceVersion\": \"8\"}}}",
      })
  void line_thatIsNoEvent_isRefused(String line) {
    assertThatThrownBy(() -> BY_NAME.event(line.getBytes(UTF_8)))
        .isInstanceOf(JsonParseException.class);
  }

  private static EndpointSlice put(String endpoints) throws ApiException {
    return ((WatchEvent.Put) BY_NAME.event(event("ADDED", SLICE.formatted(endpoints)))).slice();
  }

  private static byte[] event(String type, String object) {
    return ("{\"type\": \"" + type + "\", \"object\": " + object + "}").getBytes(UTF_8);
  }

  private static byte[] recorded() throws Exception {
    try (InputStream in = SliceJsonTest.class.getResourceAsStream("endpointslices.json")) {
      return Objects.requireNonNull(in).readAllBytes();
    }
  }
}
