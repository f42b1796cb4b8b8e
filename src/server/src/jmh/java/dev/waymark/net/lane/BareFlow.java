package dev.waymark.net.lane;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** Messages between both ends in this process, each of which goes out again when it is back. */
interface BareFlow {
  /** What came back so far. Any thread. */
  EchoCount count();

  /** Ends it. Blocks, so from none of its loops. */
  void close() throws InterruptedException;

  /**
   * What it took in a time.
   *
   * @param cpuNs of the whole process
   */
  record Cost(long echoes, long ns, long cpuNs) {
    double perSecond() {
      return echoes * 1e9 / ns;
    }

    double cpuUs() {
      return cpuNs / 1e3 / echoes;
    }
  }

  /** Measures after so long a warm-up, then closes. Blocks. */
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
