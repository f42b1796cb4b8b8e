package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LearnedJarsTest {
  @TempDir Path temp;
  private Path cache;
  private Path jar;
  private Path other;

  @BeforeEach
  void training() throws IOException {
    cache = temp.resolve("start.aot");
    jar = Files.writeString(temp.resolve("a.jar"), "jar");
    other = Files.writeString(temp.resolve("b.jar"), "other jar");
    jars(jar, other).writeDown();
    Files.createFile(cache);
  }

  @Test
  void refusal_sameJarsInAnyOrder_none() {
    assertThat(jars(other, jar).refusal()).isEmpty();
  }

  @Test
  void refusal_jarReplaced_namesItAndTheCache() throws IOException {
    Files.writeString(jar, "patched jar");
    assertThat(jars(jar, other).refusal())
        .hasValueSatisfying(line ->
            assertThat(line)
                .startsWith(cache + " was not learned from")
                .contains(jar + ", 11 bytes"));
  }

  @Test
  void refusal_jarMoreOrLess_namesIt() {
    assertThat(jars(jar).refusal())
        .hasValueSatisfying(line -> assertThat(line).contains(other + ", 9 bytes"));
    assertThat(jars(jar, other, temp.resolve("c.jar")).refusal())
        .hasValueSatisfying(line -> assertThat(line).contains("c.jar"));
  }

  @Test
  void refusal_listMissing_isOne() throws IOException {
    Files.delete(temp.resolve("start.jars"));
    assertThat(jars(jar, other).refusal()).isPresent();
  }

  @Test
  void refusal_cacheRemoved_none() throws IOException {
    Files.delete(cache);
    Files.writeString(jar, "patched jar");
    assertThat(jars(jar, other).refusal()).isEmpty();
  }

  @Test
  void writeDown_cacheOfBefore_isRemoved() throws IOException {
    jars(jar).writeDown();
    assertThat(cache).doesNotExist();
  }

  private LearnedJars jars(Path... classPath) {
    String[] entries = new String[classPath.length];
    for (int index = 0; index < entries.length; index++) {
      entries[index] = classPath[index].toString();
    }
    return new LearnedJars(cache, String.join(File.pathSeparator, entries));
  }
}
