package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class JsonSchemaTest {
  private static final JsonObject SCHEMA =
      JsonParser.parseString(JsonSchema.text()).getAsJsonObject();

  /** The schema of a key, by its path. */
  private static JsonObject of(String path) {
    JsonObject schema = SCHEMA;
    for (String part : path.split("\\.", -1)) {
      String name = part.replace("[]", "");
      schema =
          name.equals("*")
              ? schema.getAsJsonObject("additionalProperties")
              : mapOf(schema).getAsJsonObject("properties").getAsJsonObject(name);
      schema = part.endsWith("[]") ? schema.getAsJsonObject("items") : schema;
    }
    return schema;
  }

  /** The map form of a schema: a framing may also be a word. */
  private static JsonObject mapOf(JsonObject schema) {
    return schema.has("anyOf") ? schema.getAsJsonArray("anyOf").get(1).getAsJsonObject() : schema;
  }

  @Test
  void sample_isValid() throws IOException {
    assertThat(SchemaValidator.errors(SCHEMA, Files.readString(Path.of("misc/waymark.yml"))))
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "shards: 2",
        "drain-timeout: off",
        "drain-timeout: 0",
        "memory-budget: 67108864",
        "node: 7",
        "admin: {address: '[::1]:7080', hosts: '*.example.com, bridge'}",
        "listeners: [{framing: {type: delimiter, delimiter: 0x0d0a}}]",
        "listeners: [{framing: {type: fixed, size: 16}, push-from: 'default'}]",
        "listeners: [{framing: {type: length-prefixed, length-bytes: 2, byte-order: little}}]",
        "pools: [{target: 'dns://[::1]:53/backend:4770', ejection: off, slow-start: 1m}]",
        """
        pools:
          - upstreams:
              - {address: 'unix:/run/a', weight: 3, labels: {version: 2, zone: a, canary: true}}
              - {address: '[::1]:4770'}
            subsets:
              - {share-percent: 5, labels: {version: 2}}
        """
      })
  void file_thatLoads_isValid(String file) {
    assertThat(Loading.file(file)).isNotNull();
    assertThat(SchemaValidator.errors(SCHEMA, file)).isEmpty();
  }

  static Stream<Arguments> badFiles() {
    return Stream.of(
        arguments("shard: 1", "shard: false"),
        arguments("shards: many", "shards: type"),
        arguments("shards: 1025", "shards: maximum"),
        arguments("shards: [1]", "shards: type"),
        arguments("log: {level: loud}", "log.level: enum"),
        arguments("log: {access: yes}", "log.access: type"),
        arguments("drain-timeout: 30", "drain-timeout: maximum"),
        arguments("drain-timeout: 30sec", "drain-timeout: pattern"),
        arguments("lanes: {commit-timeout: off}", "lanes.commit-timeout: pattern"),
        arguments("memory-budget: 64KB", "memory-budget: pattern"),
        arguments("memory-budget: 1024", "memory-budget: minimum"),
        arguments("node: ''", "node: minLength"),
        arguments("admin: {address: localhost}", "admin.address: pattern"),
        arguments("admin: 127.0.0.1:7080", "admin: type"),
        arguments("listeners: []", "listeners: minItems"),
        arguments("listeners: {name: a}", "listeners: type"),
        arguments("listeners: [{name: Devices}]", "listeners[0].name: pattern"),
        arguments("listeners: [{adress: ':1'}]", "listeners[0].adress: false"),
        arguments("listeners: [{framing: lines}]", "listeners[0].framing: anyOf"),
        arguments("listeners: [{framing: {size: 1}}]", "listeners[0].framing: anyOf"),
        arguments("listeners: [{framing: {type: fixed}}]", "listeners[0].framing: anyOf"),
        arguments("listeners: [{framing: {type: line, size: 1}}]", "listeners[0].framing: anyOf"),
        arguments("pools: [{target: 'a:1'}]", "pools[0].target: pattern"),
        arguments("pools: [{target: 'unix:/a', upstreams: [{address: 'a:1'}]}]", "pools[0]: not"),
        arguments("pools: [{upstreams: [{weight: 2}]}]", "pools[0].upstreams[0]: required"),
        arguments(
            "pools: [{upstreams: [{address: 'a:1', weight: 0}]}]",
            "pools[0].upstreams[0].weight: minimum"),
        arguments(
            "pools: [{upstreams: [{address: 'a:1', labels: {'b c': d}}]}]",
            "pools[0].upstreams[0].labels.b c: pattern"),
        arguments(
            "pools: [{upstreams: [{address: 'a:1'}], subsets: [{share-percent: 5}]}]",
            "pools[0].subsets[0]: required"));
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void file_thatIsRefused_isNotValid(String file, String error) {
    assertThatThrownBy(() -> Loading.file(file)).isInstanceOf(ConfigException.class);
    assertThat(SchemaValidator.errors(SCHEMA, file)).containsExactly(error);
  }

  @Test
  void everyKey_isDescribed_andItsDefaultIsValid() {
    for (Key<?, ?> key : Schema.BRIDGE.keys()) {
      JsonObject schema = of(key.path());
      assertThat(schema.get("description").getAsString())
          .as(key.path())
          .startsWith(key.meaning())
          .contains(key.onReload().sentence());
      JsonObject value =
          schema.has("anyOf") ? schema.getAsJsonArray("anyOf").get(0).getAsJsonObject() : schema;
      JsonElement byDefault = value.get("default");
      assertThat(byDefault != null).as(key.path()).isEqualTo(key.defaultText().isPresent());
      if (byDefault != null) {
        assertThat(byDefault.getAsString()).isEqualTo(key.defaultText().orElseThrow());
        assertThat(SchemaValidator.errors(value, byDefault)).as(key.path()).isEmpty();
      }
    }
  }

  @Test
  void keywords_matchTheType() {
    assertThat(SCHEMA.get("$schema").getAsString())
        .isEqualTo("https://json-schema.org/draft/2020-12/schema");
    assertThat(of("listeners[].connections-max").toString())
        .contains("\"type\":\"integer\",\"minimum\":1,\"maximum\":10000000,\"default\":100000");
    assertThat(of("pools[].policy").getAsJsonArray("enum").asList())
        .extracting(JsonElement::getAsString)
        .containsExactly("round-robin", "least-connections", "random-two", "ring-hash");
    assertThat(of("listeners[].framing.length-bytes").get("enum")).hasToString("[1,2,3,4,8]");
    assertThat(of("admin.address").get("description").getAsString())
        .endsWith("A change needs a restart. Flag: --admin, WAYMARK_ADMIN.");
  }
}
