package dev.waymark.net.listener;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The number of clients that the process's limit of file descriptors allows. It keeps a reserve: a
 * process without descriptors cannot open a lane, answer on its admin port or load a class.
 * Thread-safe; shared by all ports.
 */
public final class DescriptorLimit {
  /** For lanes, health Watches, the admin port and jar files. */
  private static final long RESERVE_MIN = 64;

  /** The reserve as a fraction of a large limit. */
  private static final long RESERVE_DIVISOR = 64;

  private final long clientsMax;
  private final AtomicLong clients = new AtomicLong();

  DescriptorLimit(long clientsMax) {
    this.clientsMax = clientsMax;
  }

  /**
   * Returns the number of descriptors that the process may still open, less the reserve; unlimited
   * if the system does not tell.
   */
  public static DescriptorLimit ofProcess() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      long max = system.getMaxFileDescriptorCount();
      long reserve = Math.max(RESERVE_MIN, max / RESERVE_DIVISOR);
      return new DescriptorLimit(Math.max(1, max - system.getOpenFileDescriptorCount() - reserve));
    }
    return new DescriptorLimit(Long.MAX_VALUE);
  }

  /** Returns how many clients there is room for; {@link Long#MAX_VALUE}: unlimited. */
  public long clientsMax() {
    return clientsMax;
  }

  /** Counts a client. */
  void enter() {
    clients.incrementAndGet();
  }

  void leave() {
    clients.decrementAndGet();
  }

  /** Whether another client would use the reserve. */
  boolean isReached() {
    return clients.get() >= clientsMax;
  }
}
