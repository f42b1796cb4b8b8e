package dev.waymark.bridge;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.Origin;
import io.netty.util.internal.PlatformDependent;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The memory that the process may take, and what a bridge may hold within it (docs/decisions/0031).
 * Immutable.
 *
 * @param totalBytes of the machine, or of the container where that is less
 * @param heapBytes the largest heap
 * @param directBytes what Netty may take outside the heap: the buffers of all sockets
 */
public record MemoryLimits(long totalBytes, long heapBytes, long directBytes) {
  /** Netty's own limit; it reads the property once, when its first buffer is made. */
  static final String DIRECT_PROPERTY = "io.netty.maxDirectMemory";

  private static final long MIB = 1L << 20;

  /**
   * What the JVM takes besides heap and buffers: classes, compiled code, threads, collector. A
   * bridge that has carried 800 connections was measured at 85 MiB.
   */
  private static final long JVM_BYTES = 96 * MIB;

  /** With less outside the heap not even a few lanes have room. */
  private static final long DIRECT_BYTES_MIN = 32 * MIB;

  /**
   * Share of the direct memory, beyond what is to be spared, for what connections hold. The rest is
   * for what the budget does not count: reads under way, up to 3 MiB of queue, batch and message
   * for each lane, and free pieces of the allocators' chunks.
   */
  private static final int BUDGET_SHARE = 3;

  private static final long SPARE_BYTES_MIN = 12 * MIB;

  private static final int SPARE_PERCENT = 20;

  private static final long BUDGET_BYTES_MIN = MIB;

  /** As many reads of one turn of an event loop fit into the direct memory. */
  private static final int READS_OF_A_TURN = 4_096;

  private static final int READ_BYTES_MIN = 2 * 1024;
  private static final int READ_BYTES_MAX = 64 * 1024;

  /** Those of this process. Before Netty's first buffer is made, whose limit is set here. */
  public static MemoryLimits ofProcess() {
    long heapBytes = Runtime.getRuntime().maxMemory();
    long totalBytes = machineBytes();
    if (!isDirectChosen()) {
      System.getProperties()
          .putIfAbsent(DIRECT_PROPERTY, Long.toString(directBytes(totalBytes, heapBytes)));
    }
    return new MemoryLimits(totalBytes, heapBytes, PlatformDependent.maxDirectMemory());
  }

  /** The container's limit is in it. */
  private static long machineBytes() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : Long.MAX_VALUE;
  }

  private static boolean isDirectChosen() {
    HotSpotDiagnosticMXBean options =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    return options != null && !options.getVMOption("MaxDirectMemorySize").getValue().equals("0");
  }

  /**
   * No more than heap and JVM leave, and less than the JVM's own limit, which is as much as the
   * heap: where that is reached, each allocation waits for collections before it fails.
   */
  static long directBytes(long totalBytes, long heapBytes) {
    long left = totalBytes - heapBytes - JVM_BYTES;
    return Math.max(DIRECT_BYTES_MIN, Math.min(heapBytes / 16 * 15, left));
  }

  /** The largest {@code memory-budget} that can be kept. */
  long budgetBytesMax() {
    return Math.max(BUDGET_BYTES_MIN, (directBytes - SPARE_BYTES_MIN) / BUDGET_SHARE / MIB * MIB);
  }

  /** With less left of the direct memory, connections have to give some back. */
  long spareBytes() {
    return Math.max(SPARE_BYTES_MIN, directBytes / 100 * SPARE_PERCENT);
  }

  /** The largest read of a client's socket. */
  int readBytesMax() {
    long bytes = Math.clamp(directBytes / READS_OF_A_TURN, READ_BYTES_MIN, READ_BYTES_MAX);
    return Math.toIntExact(Long.highestOneBit(bytes));
  }

  /** The configuration with a budget that can be kept; it warns where another was asked for. */
  public LoadedConfig fit(LoadedConfig loaded) {
    List<String> warnings = new ArrayList<>();
    shortage().ifPresent(warnings::add);
    long max = budgetBytesMax();
    if (loaded.config().limits().memoryBudgetBytes() <= max) {
      return loaded.withWarnings(warnings);
    }
    String fitted = mib(max);
    LoadedConfig.Entry asked = loaded.memoryBudget();
    if (!(asked.origin() instanceof Origin.Default)) {
      warnings.add(
          asked.origin().text()
              + ": memory-budget: "
              + asked.value()
              + " cannot be kept with "
              + mib(directBytes)
              + " of memory outside the heap; "
              + fitted
              + " is in force: lower it, or give the process more memory");
    }
    String why = "lowered to what " + mib(directBytes) + " of memory outside the heap allow";
    return loaded.withMemoryBudget(max, fitted, why).withWarnings(warnings);
  }

  /** What the memory is too small for, if it is. */
  Optional<String> shortage() {
    long needed = heapBytes + directBytes + JVM_BYTES;
    if (needed <= totalBytes) {
      return Optional.empty();
    }
    return Optional.of(
        "the process may take more than the "
            + mib(totalBytes)
            + " that there are: "
            + mib(heapBytes)
            + " of heap, "
            + mib(directBytes)
            + " outside it, some "
            + mib(JVM_BYTES)
            + " for the JVM itself; lower -Xmx (WAYMARK_JAVA_OPTS) or give it more memory");
  }

  private static String mib(long bytes) {
    return bytes / MIB + "MiB";
  }
}
