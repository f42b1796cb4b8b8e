package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryLimitsTest {
  private static final long MIB = 1L << 20;

  @ParameterizedTest
  @CsvSource({
    // Direct memory is nearly as large as the heap.
    "24576, 9830, 9215, 3067, 65536",
    "1024, 409, 383, 123, 65536",
    "512, 204, 191, 59, 32768",
    "384, 115, 107, 31, 16384",
    "256, 76, 71, 19, 16384",
    // Direct memory is what heap and JVM leave.
    "192, 57, 39, 9, 8192",
    // Direct memory is the minimum with which lanes work.
    "128, 38, 32, 6, 8192",
  })
  void limits_inContainer_fitItsMemory(
      long totalMib, long heapMib, long directMib, long budgetMib, int readBytes) {
    long direct = MemoryLimits.directBytes(totalMib * MIB, heapMib * MIB);
    MemoryLimits limits = new MemoryLimits(totalMib * MIB, heapMib * MIB, direct);
    assertThat(direct / MIB).isEqualTo(directMib);
    assertThat(limits.budgetBytesMax() / MIB).isEqualTo(budgetMib);
    assertThat(limits.readBytesMax()).isEqualTo(readBytes);
  }

  @Test
  void budget_defaultTooLarge_isLoweredWithoutWarning() {
    LoadedConfig fitted = new MemoryLimits(256 * MIB, 102 * MIB, 58 * MIB).fit(load(Map.of()));
    assertThat(fitted.config().limits().memoryBudgetBytes()).isEqualTo(15 * MIB);
    assertThat(fitted.memoryBudget().value()).isEqualTo("15MiB");
    assertThat(fitted.memoryBudget().origin().text()).contains("128MiB", "58MiB");
    assertThat(fitted.warnings()).isEmpty();
  }

  @Test
  void budget_configuredTooLarge_isLoweredWithWarning() {
    LoadedConfig configured = load(Map.of("--memory-budget", "64MiB"));
    LoadedConfig fitted = new MemoryLimits(256 * MIB, 102 * MIB, 58 * MIB).fit(configured);
    assertThat(fitted.config().limits().memoryBudgetBytes()).isEqualTo(15 * MIB);
    assertThat(fitted.warnings())
        .singleElement()
        .asString()
        .contains("--memory-budget", "64MiB", "58MiB", "using 15MiB", "lower memory-budget");
  }

  @Test
  void budget_fitting_isKept() {
    LoadedConfig configured = load(Map.of("--memory-budget", "8MiB"));
    assertThat(new MemoryLimits(256 * MIB, 102 * MIB, 58 * MIB).fit(configured))
        .isEqualTo(configured);
  }

  @Test
  void directMemory_short_remainsShortUntilEnoughIsLeft() {
    long[] usedMib = {45};
    DirectMemory direct =
        new DirectMemory(new MemoryLimits(256 * MIB, 102 * MIB, 58 * MIB), () -> usedMib[0] * MIB);
    assertThat(direct.isShort()).isFalse();
    usedMib[0] = 47; // leaves 11 MiB, less than the 12 MiB to spare
    assertThat(direct.isShort()).isTrue();
    usedMib[0] = 41;
    assertThat(direct.isShort()).isTrue();
    usedMib[0] = 39;
    assertThat(direct.isShort()).isFalse();
    usedMib[0] = 45;
    assertThat(direct.isShort()).isFalse();
  }

  @Test
  void limits_exceedingContainer_areReportedWithAllFigures() {
    assertThat(new MemoryLimits(256 * MIB, 200 * MIB, 24 * MIB).shortage())
        .hasValueSatisfying(
            why -> assertThat(why).contains("256MiB", "200MiB", "24MiB", "96MiB", "-Xmx"));
    assertThat(new MemoryLimits(256 * MIB, 102 * MIB, 58 * MIB).shortage()).isEmpty();
  }

  private static LoadedConfig load(Map<String, String> flags) {
    return ConfigLoader.load(Optional.empty(), flags, Map.of());
  }
}
