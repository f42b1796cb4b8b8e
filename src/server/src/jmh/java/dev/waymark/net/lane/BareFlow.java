package dev.waymark.net.lane;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** Messages that go back and forth between both ends in this process: each echo is sent again. */
interface BareFlow {
  /** The echoes so far. Thread-safe. */
  EchoCount count();

  /** Ends the flow. Blocks, so it must not be called on an event loop of the flow. */
  void close() throws InterruptedException;

  /**
   * The echoes in a time span and the CPU time that they cost.
   *
   * @param cpuNs the CPU time of the whole process
   */
  record Cost(long echoes, long ns, long cpuNs) {
    double perSecond() {
      return echoes * 1e9 / ns;
    }

    double cpuUs() {
      return cpuNs / 1e3 / echoes;
    }
  }

  /** Measures after a warm-up, then closes. Blocks. */
  default Cost measure(long warmUpMs, long measuredMs) throws InterruptedException {
    var process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    Thread.sleep(warmUpMs);
    long echoes = count().get();
    long cpuNs = process.getProcessCpuTime();
    long ns = System.nanoTime();
    Thread.sleep(measuredMs);
    ns = System.nanoTime() - ns;
    cpuNs = process.getProcessCpuTime() - cpuNs;
    echoes = count().get() - echoes;
    close();
    return new Cost(echoes, ns, cpuNs);
  }
}
