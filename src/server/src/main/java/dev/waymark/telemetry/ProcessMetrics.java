package dev.waymark.telemetry;

import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Metrics of the process: memory, garbage collection, threads, file descriptors. Stateless. */
public final class ProcessMetrics {
  private static final double MS_PER_SECOND = 1e3;
  private static final long BYTES_PER_KIB = 1024;

  /** Exists only on Linux. */
  private static final Path STATUS = Path.of("/proc/self/status");

  private static final String RESIDENT = "VmRSS:";

  private ProcessMetrics() {}

  /** Registers all of them, including {@code waymark_build_info} with this version. */
  public static void register(Metrics metrics, String version) {
    metrics.gauge("waymark_build_info", "The running version.", () -> 1L, "version", version);
    long startUnixMs = ManagementFactory.getRuntimeMXBean().getStartTime();
    metrics.gauge(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        () -> startUnixMs / MS_PER_SECOND);
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    memory(metrics, memory::getHeapMemoryUsage, "heap");
    memory(metrics, memory::getNonHeapMemoryUsage, "nonheap");
    ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)
        .forEach(pool -> buffers(metrics, pool));
    metrics.gauge(
        "waymark_jvm_netty_direct_bytes",
        "Memory outside the heap that Netty tracks itself.",
        () -> Math.max(0, PlatformDependent.usedDirectMemory()));
    ManagementFactory.getGarbageCollectorMXBeans()
        .forEach(collector -> collections(metrics, collector));
    threads(metrics);
    if (Files.isReadable(STATUS)) {
      metrics.gauge(
          "process_resident_memory_bytes",
          "Resident memory of the process.",
          ProcessMetrics::residentBytes);
    }
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      system(metrics, system);
    }
  }

  /** Parses {@code VmRSS: 123456 kB}; see proc(5). */
  private static long residentBytes() {
    try (Stream<String> lines = Files.lines(STATUS)) {
      String line = lines.filter(one -> one.startsWith(RESIDENT)).findFirst().orElseThrow();
      String amount = line.substring(RESIDENT.length()).strip();
      return Long.parseLong(amount.substring(0, amount.indexOf(' '))) * BYTES_PER_KIB;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void memory(Metrics metrics, Supplier<MemoryUsage> usage, String area) {
    metrics.gauge(
        "waymark_jvm_memory_used_bytes",
        "Memory in use, by area.",
        () -> usage.get().getUsed(),
        "area",
        area);
    metrics.gauge(
        "waymark_jvm_memory_committed_bytes",
        "Memory obtained from the system, by area.",
        () -> usage.get().getCommitted(),
        "area",
        area);
    metrics.gauge(
        "waymark_jvm_memory_max_bytes",
        "Maximum memory, by area; -1 if there is no limit.",
        () -> usage.get().getMax(),
        "area",
        area);
  }

  /** The pool's name is a bounded label: the JVM has only a few, such as direct and mapped. */
  private static void buffers(Metrics metrics, BufferPoolMXBean pool) {
    metrics.gauge(
        "waymark_jvm_buffers_used_bytes",
        "Memory of the JVM's buffers outside the heap, by pool.",
        pool::getMemoryUsed,
        "buffers",
        pool.getName());
  }

  private static void collections(Metrics metrics, GarbageCollectorMXBean collector) {
    metrics.counter(
        "waymark_jvm_gc_collections_total",
        "Garbage collections, by collector.",
        () -> Math.max(0, collector.getCollectionCount()),
        "gc",
        collector.getName());
    metrics.counter(
        "waymark_jvm_gc_duration_seconds_total",
        "Time in garbage collections, by collector.",
        () -> TimeUnit.MILLISECONDS.toNanos(Math.max(0, collector.getCollectionTime())),
        "gc",
        collector.getName());
  }

  private static void threads(Metrics metrics) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    metrics.gauge("waymark_jvm_threads", "Live threads.", threads::getThreadCount);
    metrics.counter(
        "waymark_jvm_threads_started_total",
        "Threads started so far.",
        threads::getTotalStartedThreadCount);
  }

  private static void system(Metrics metrics, UnixOperatingSystemMXBean system) {
    metrics.counter(
        "process_cpu_seconds_total",
        "CPU time of the process.",
        () -> Math.max(0, system.getProcessCpuTime()));
    metrics.gauge("process_open_fds", "Open file descriptors.", system::getOpenFileDescriptorCount);
    metrics.gauge(
        "process_max_fds",
        "Maximum number of open file descriptors.",
        system::getMaxFileDescriptorCount);
  }
}
