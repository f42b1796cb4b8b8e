package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions.Moving;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class GeneratedFilesTest {
  private static final Path SAMPLE = Path.of("misc/waymark.yml");
  private static final Path REFERENCE = Path.of("docs/configuration.md");
  private static final String COMMAND =
      "mvn -q -pl src/server -am test-compile surefire:test -Dtest=GeneratedFilesTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dwaymark.docs.update=true";

  @Test
  void sample_inTheRepository_isUpToDate() throws IOException {
    compareOrUpdate(SAMPLE, SampleFile.text());
  }

  @Test
  void reference_inTheRepository_isUpToDate() throws IOException {
    compareOrUpdate(REFERENCE, Reference.in(Files.readString(REFERENCE), Schema.BRIDGE));
  }

  @Test
  void sample_loaded_equalsDefaults() {
    BridgeConfig defaults = ConfigLoader.load(Optional.empty(), Map.of(), Map.of()).config();
    assertThat(Loading.file(SampleFile.text()).config()).isEqualTo(defaults);
  }

  @Test
  void sample_hasEveryKey() {
    for (Key<?, ?> key : Schema.BRIDGE.keys()) {
      String name = key.path().substring(key.path().lastIndexOf('.') + 1).replace("*", "zone");
      assertThat(SampleFile.text()).contains(name + ": ");
    }
  }

  @Test
  void limitsAndMoving_byDefault_areThoseOfTheEngine() {
    BridgeConfig defaults = ConfigLoader.load(Optional.empty(), Map.of(), Map.of()).config();
    assertThat(defaults.limits()).isEqualTo(Limits.DEFAULTS);
    assertThat(defaults.pools().getFirst().options().moving()).isEqualTo(Moving.DEFAULTS);
  }

  private static void compareOrUpdate(Path file, String text) throws IOException {
    if (Boolean.getBoolean("waymark.docs.update")) {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(file, text);
    }
    assertThat(file).as("update with: " + COMMAND).content().isEqualTo(text);
  }
}
