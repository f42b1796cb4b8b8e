package dev.waymark.tools.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Reads the resource usage of processes. Stateless. */
final class Processes {
  private static final String RSS = "VmRSS:";

  private Processes() {}

  static long ownCpuNs() {
    return cpuNs(ProcessHandle.current());
  }

  /** The usage of these processes since they started. */
  static List<Result.Used> of(List<Long> pids) {
    List<Result.Used> uses = new ArrayList<>();
    for (long pid : pids) {
      long cpuNs = ProcessHandle.of(pid).map(Processes::cpuNs).orElse(-1L);
      uses.add(new Result.Used(pid, cpuNs, rssBytes(pid).orElse(-1)));
    }
    return uses;
  }

  private static long cpuNs(ProcessHandle process) {
    return process.info().totalCpuDuration().map(Duration::toNanos).orElse(-1L);
  }

  private static OptionalLong rssBytes(long pid) {
    try {
      return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
          .filter(line -> line.startsWith(RSS))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst();
    } catch (IOException gone) {
      return OptionalLong.empty();
    }
  }
}
