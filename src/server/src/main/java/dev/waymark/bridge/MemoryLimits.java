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
 * The memory that the process may use, and how much of it a bridge may hold (docs/decisions/0031).
 * Immutable.
 *
 * @param totalBytes memory of the machine, or of the container if that is less
 * @param heapBytes maximum heap size
 * @param directBytes maximum direct memory of Netty, which holds the buffers of all sockets
 */
public record MemoryLimits(long totalBytes, long heapBytes, long directBytes) {
  /** Netty's own limit; Netty reads the property once, when it creates its first buffer. */
  static final String DIRECT_PROPERTY = "io.netty.maxDirectMemory";

  private static final long MIB = 1L << 20;

  /**
   * What the JVM uses besides heap and buffers: classes, compiled code, threads, collector.
   * Measured: 85 MiB for a bridge that had carried 800 connections.
   */
  private static final long JVM_BYTES = 96 * MIB;

  /** With less direct memory there is no room for even a few lanes. */
  private static final long DIRECT_BYTES_MIN = 32 * MIB;

  /**
   * The budget is this fraction (1/3) of the direct memory less the minimum spare. The rest is for
   * what the budget does not count: reads under way, up to 3 MiB of queue, batch and message for
   * each lane, and free parts of the allocators' chunks.
   */
  private static final int BUDGET_DIVISOR = 3;

  private static final long SPARE_BYTES_MIN = 12 * MIB;

  private static final int SPARE_PERCENT = 20;

  private static final long BUDGET_BYTES_MIN = MIB;

  /** Direct memory must hold this many reads, as one turn of an event loop may make them. */
  private static final int READS_PER_TURN = 4_096;

  private static final int READ_BYTES_MIN = 2 * 1024;
  private static final int READ_BYTES_MAX = 64 * 1024;

  /**
   * Returns the limits of this process, and sets Netty's limit. Call it before Netty creates its
   * first buffer.
   */
  public static MemoryLimits ofProcess() {
    long heapBytes = Runtime.getRuntime().maxMemory();
    long totalBytes = machineBytes();
    if (!isDirectConfigured()) {
      System.getProperties()
          .putIfAbsent(DIRECT_PROPERTY, Long.toString(directBytes(totalBytes, heapBytes)));
    }
    return new MemoryLimits(totalBytes, heapBytes, PlatformDependent.maxDirectMemory());
  }

  /** The JVM takes the container's limit into account. */
  private static long machineBytes() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : Long.MAX_VALUE;
  }

  private static boolean isDirectConfigured() {
    HotSpotDiagnosticMXBean options =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    return options != null && !options.getVMOption("MaxDirectMemorySize").getValue().equals("0");
  }

  /**
   * Returns the limit for direct memory: no more than heap and JVM leave, and less than the JVM's
   * own limit, which equals the heap. At that limit, every allocation would wait for garbage
   * collections before it fails.
   */
  static long directBytes(long totalBytes, long heapBytes) {
    long left = totalBytes - heapBytes - JVM_BYTES;
    return Math.max(DIRECT_BYTES_MIN, Math.min(heapBytes / 16 * 15, left));
  }

  /** The largest {@code memory-budget} that fits. */
  long budgetBytesMax() {
    return Math.max(BUDGET_BYTES_MIN, (directBytes - SPARE_BYTES_MIN) / BUDGET_DIVISOR / MIB * MIB);
  }

  /** If less direct memory than this is left, connections have to give some back. */
  long spareBytes() {
    return Math.max(SPARE_BYTES_MIN, directBytes / 100 * SPARE_PERCENT);
  }

  /** The maximum size of one read from a client's socket. */
  int readBytesMax() {
    long bytes = Math.clamp(directBytes / READS_PER_TURN, READ_BYTES_MIN, READ_BYTES_MAX);
    return Math.toIntExact(Long.highestOneBit(bytes));
  }

  /**
   * Returns the configuration with {@code memory-budget} lowered to what fits, and with a warning
   * if the lowered value was configured explicitly.
   */
  public LoadedConfig fit(LoadedConfig loaded) {
    List<String> warnings = new ArrayList<>();
    shortage().ifPresent(warnings::add);
    long max = budgetBytesMax();
    if (loaded.config().limits().memoryBudgetBytes() <= max) {
      return loaded.withWarnings(warnings);
    }
    String fitted = mib(max);
    LoadedConfig.Entry configured = loaded.memoryBudget();
    if (!(configured.origin() instanceof Origin.Default)) {
      warnings.add(
          configured.origin().text()
              + ": memory-budget: "
              + configured.value()
              + " does not fit in "
              + mib(directBytes)
              + " of memory outside the heap; using "
              + fitted
              + ": lower memory-budget, or give the process more memory");
    }
    String why = "lowered to what " + mib(directBytes) + " of memory outside the heap allows";
    return loaded.withMemoryBudget(max, fitted, why).withWarnings(warnings);
  }

  /** Returns a warning if heap, direct memory and JVM together may exceed the memory. */
  Optional<String> shortage() {
    long needed = heapBytes + directBytes + JVM_BYTES;
    if (needed <= totalBytes) {
      return Optional.empty();
    }
    return Optional.of(
        "the process may take more than the "
            + mib(totalBytes)
            + " available: "
            + mib(heapBytes)
            + " of heap, "
            + mib(directBytes)
            + " outside it, about "
            + mib(JVM_BYTES)
            + " for the JVM itself; lower -Xmx (WAYMARK_JAVA_OPTS) or give it more memory");
  }

  private static String mib(long bytes) {
    return bytes / MIB + "MiB";
  }
}
