package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class ConfigFuzzTest {
  private static final int RUNS = 10_000;
  private static final long SEED = 0x51c3;
  private static final String[] TOKENS = {
    "\t",
    "---\n",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!binary ",
    "? ",
    ": ",
    "- ",
    "\"",
    "'",
    "|",
    ">",
    "%",
    "\0",
    "null",
    "~",
    "-1",
    "99999999999999999999",
    "0x",
    "off",
    "é",
    "\uFEFF",
    "<<: *a\n",
    "pools:\n",
    "lanes: 1\n",
    "#",
    "framing: {type: fixed, size: 1}\n",
    "    upstreams: [{address: \"a:1\", labels: {x: y}}]\n"
  };

  @Test
  void mutatedSample_isLoadedOrRefused() {
    byte[] sample = withoutComments().getBytes(StandardCharsets.UTF_8);
    int refused = 0;
    for (int run = 0; run < RUNS; run++) {
      SplittableRandom random = new SplittableRandom(SEED + run);
      byte[] mutant = sample;
      for (int steps = 1 + random.nextInt(4); steps > 0; steps--) {
        mutant = mutated(mutant, random);
      }
      refused += isRefused(mutant, run) ? 1 : 0;
    }
    assertThat(refused).as("refused mutations").isBetween(RUNS / 4, RUNS - 1);
  }

  private static String withoutComments() {
    StringBuilder text = new StringBuilder();
    SampleFile.text()
        .lines()
        .filter(line -> !line.strip().startsWith("#"))
        .forEach(line -> text.append(line).append('\n'));
    return text.toString();
  }

  private static boolean isRefused(byte[] mutant, int run) {
    try {
      Loading.file(mutant, Map.of(), Map.of());
      return false;
    } catch (ConfigException refused) {
      assertThat(refused.getMessage()).as("run " + run).isNotBlank();
      return true;
    } catch (RuntimeException | StackOverflowError defect) {
      return fail(
          "run " + run + " of seed " + SEED + ":\n" + new String(mutant, StandardCharsets.UTF_8),
          defect);
    }
  }

  private static byte[] mutated(byte[] bytes, SplittableRandom random) {
    int from = random.nextInt(bytes.length + 1);
    int to = Math.min(bytes.length, from + 1 + random.nextInt(8));
    byte[] token = TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
    return switch (random.nextInt(6)) {
      case 0 -> joined(bytes, from, new byte[0], to);
      case 1 -> joined(bytes, from, token, from);
      case 2 -> joined(bytes, from, token, to);
      case 3 -> joined(bytes, from, new byte[] {(byte) random.nextInt(256)}, to);
      case 4 -> {
        int start = random.nextInt(bytes.length + 1);
        int end = Math.min(bytes.length, start + random.nextInt(80));
        yield joined(bytes, from, Arrays.copyOfRange(bytes, start, end), from);
      }
      default ->
          joined(
              bytes,
              from,
              new byte[] {(byte) ('0' + random.nextInt(10))},
              Math.min(bytes.length, from + 1));
    };
  }

  private static byte[] joined(byte[] bytes, int from, byte[] middle, int to) {
    byte[] joined = Arrays.copyOf(bytes, from + middle.length + bytes.length - to);
    System.arraycopy(middle, 0, joined, from, middle.length);
    System.arraycopy(bytes, to, joined, from + middle.length, bytes.length - to);
    return joined;
  }
}
