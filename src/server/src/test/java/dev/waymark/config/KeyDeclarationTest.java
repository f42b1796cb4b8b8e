package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Shows how to add a key: declare it once, as here, in a group that {@link Schema} knows, and read
 * its value through it. Everything else that is asserted here follows from the declaration.
 */
final class KeyDeclarationTest {
  private static final KeyGroup<PoolConfig> COMPRESSION =
      new KeyGroup<>("Compression", Scope.POOL, "compression.");

  private static final Key<PoolConfig, Integer> LEVEL =
      COMPRESSION
          .key("level", ValueType.number(0, 9))
          .byDefault("3")
          .flag("--compression-level")
          .onReload(OnReload.AT_ONCE)
          .meaning("How hard lanes compress. 0: not at all.");

  private static final Key<PoolConfig, Duration> DELAY =
      COMPRESSION
          .key("delay", ValueType.duration("1m"))
          .byDefault("1s")
          .meaning("How long a lane waits for more to compress.");

  private static final Key<PoolConfig, Duration> DELAY_MAX =
      COMPRESSION
          .key("delay-max", ValueType.duration("1m"))
          .byDefault("5s")
          .atLeast(DELAY)
          .meaning("Longest such wait.");

  private static final Key<PoolConfig, String> LICENCE =
      COMPRESSION
          .key("licence", ValueType.text(4, 20))
          .orElse("")
          .secret()
          .example("abcd")
          .meaning("Licence of the compressor.");

  private static final Schema SCHEMA = Schema.BRIDGE.with(COMPRESSION);

  private static LoadedConfig load(String file) {
    return Loading.file(SCHEMA, file, Map.of(), Map.of());
  }

  private static String pool(String keys) {
    return "pools:\n  - target: unix:/a\n    compression: {" + keys + "}\n";
  }

  private static PoolConfig only(LoadedConfig loaded) {
    return loaded.config().pools().getFirst();
  }

  @Test
  void value_isReadThroughTheKey() {
    assertThat(only(load("pools: [{target: 'unix:/a'}]")).get(LEVEL)).isEqualTo(3);
    PoolConfig pool = only(load(pool("level: 7, delay-max: 9s, licence: s3cret")));
    assertThat(pool.get(LEVEL)).isEqualTo(7);
    assertThat(pool.get(DELAY_MAX)).isEqualTo(Duration.ofSeconds(9));
    assertThat(pool.get(LICENCE)).isEqualTo("s3cret");
    assertThat(only(load(pool("level: 7"))).with(LEVEL, 3))
        .as("setting the default explicitly changes nothing")
        .isEqualTo(only(load(pool("level: 3"))));
  }

  @Test
  void flagAndVariable_overrideTheFile() {
    Map<String, String> flags = Map.of("--compression-level", "1");
    Map<String, String> environment = Map.of("WAYMARK_COMPRESSION_LEVEL", "2");
    String file = pool("level: 7");
    assertThat(only(Loading.file(SCHEMA, file, flags, environment)).get(LEVEL)).isEqualTo(1);
    LoadedConfig byVariable = Loading.file(SCHEMA, file, Map.of(), environment);
    assertThat(only(byVariable).get(LEVEL)).isEqualTo(2);
    assertThat(byVariable.warnings()).isEmpty();
  }

  @Test
  void mistakes_areReportedLikeThoseOfOtherKeys() {
    assertThatThrownBy(() -> load(pool("level: 10")))
        .hasMessage(
            "waymark.yml:3:26: pools[0].compression.level: 10 (expected: a whole number from 0 to 9)");
    assertThatThrownBy(() -> load(pool("levl: 1")))
        .hasMessage(
            "waymark.yml:3:19: pools[0].compression.levl: unknown key; did you mean level?");
    assertThatThrownBy(() -> load(pool("delay: 10s")))
        .hasMessage(
            "waymark.yml:3:26: pools[0].compression.delay: 10s (expected: <= delay-max 5s); lower it or raise delay-max");
  }

  @Test
  void show_hasEveryValueWithItsOrigin_andNoSecret() {
    String shown = load(pool("level: 7, licence: s3cret")).yaml();
    assertThat(shown)
        .containsPattern(" {4}compression:\n {6}level: 7 +# waymark.yml:3:26\n")
        .containsPattern("delay: 1s +# default\n")
        .containsPattern("licence: \"\\(secret\\)\" +# waymark.yml")
        .doesNotContain("s3cret");
  }

  @Test
  void secret_neverAppearsInMessages() {
    LoadedConfig loaded = load(pool("licence: s3cret"));
    assertThat(loaded.toString()).doesNotContain("s3cret");
    assertThatThrownBy(() -> load(pool("licence: " + "s3cret".repeat(10))))
        .hasMessage(
            "waymark.yml:3:28: pools[0].compression.licence: (secret) (expected: text of 4 to 20 printable characters)");
    assertThatThrownBy(() -> ConfigChanges.between(loaded, load(pool("licence: other"))))
        .hasMessage(
            "waymark.yml:3:28: pools[0].compression.licence: (secret) (in force: (secret), which a reload cannot change); restart, or put (secret) back");
  }

  @Test
  void reload_acceptsWhatTheDeclarationAllows() {
    assertThat(ConfigChanges.between(load(pool("level: 1")), load(pool("level: 2"))).lines())
        .isEqualTo(List.of("pool default changed: compression.level"));
    assertThatThrownBy(() -> ConfigChanges.between(load(pool("level: 1")), load(pool("delay: 2s"))))
        .hasMessage(
            "waymark.yml:3:26: pools[0].compression.delay: 2s (in force: 1s, which a reload cannot change); restart, or put 1s back");
  }

  @Test
  void reference_hasARow() {
    String page = Reference.in(Reference.START + Reference.END, SCHEMA);
    assertThat(page)
        .contains(
            "### Compression\n",
            "| `pools[].compression.level` | `3` | a whole number from 0 to 9 | `--compression-level`, `WAYMARK_COMPRESSION_LEVEL` | at once | How hard lanes compress. 0: not at all. |\n",
            "| `pools[].compression.licence` |  | text of 4 to 20 printable characters |  | restart | Licence of the compressor. Secret: never shown. |\n");
  }

  @Test
  void sample_hasALine() {
    assertThat(SampleFile.text(SCHEMA))
        .contains(
            """
                # compression:
                #   level: 3  # How hard lanes compress. 0: not at all.
                #   delay: 1s  # How long a lane waits for more to compress.
                #   delay-max: 5s  # Longest such wait.
                #   licence: abcd  # Licence of the compressor.
            """);
  }

  @Test
  void jsonSchema_hasAProperty() {
    JsonObject schema = JsonParser.parseString(JsonSchema.text(SCHEMA)).getAsJsonObject();
    assertThat(schema.toString())
        .contains(
            "\"compression\":{\"type\":\"object\",\"properties\":{\"level\":{\"description\":\"How hard lanes compress. 0: not at all. Takes effect on reload. Flag: --compression-level, WAYMARK_COMPRESSION_LEVEL.\",\"type\":\"integer\",\"minimum\":0,\"maximum\":9,\"default\":3}",
            "\"writeOnly\":true");
    assertThat(SchemaValidator.errors(schema, pool("level: 12")))
        .containsExactly("pools[0].compression.level: maximum");
  }

  @Test
  void declaration_withoutADefault_isRefused() {
    assertThatThrownBy(() -> COMPRESSION.key("mode", ValueType.bool()).meaning("Nobody knows."))
        .hasMessage("pools[].compression.mode: has no default and is not read by hand");
    assertThatThrownBy(() -> Schema.BRIDGE.with(COMPRESSION).with(COMPRESSION))
        .hasMessageEndingWith("is declared twice");
  }
}
