package dev.waymark.net.listener;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many clients the process's limit of descriptors has room for. Some are kept back: a process
 * that has none left cannot open a lane, answer its admin port or load a class. Thread-safe; shared
 * by all ports.
 */
public final class DescriptorLimit {
  /** For lanes, health Watches, the admin port and jar files. */
  private static final long RESERVE_MIN = 64;

  /** The same as a share of a large limit. */
  private static final long RESERVE_DIVISOR = 64;

  private final long clientsMax;
  private final AtomicLong clients = new AtomicLong();

  DescriptorLimit(long clientsMax) {
    this.clientsMax = clientsMax;
  }

  /**
   * What the process may still open now, less the reserve; without a bound where the machine does
   * not tell.
   */
  public static DescriptorLimit ofProcess() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      long max = system.getMaxFileDescriptorCount();
      long reserve = Math.max(RESERVE_MIN, max / RESERVE_DIVISOR);
      return new DescriptorLimit(Math.max(1, max - system.getOpenFileDescriptorCount() - reserve));
    }
    return new DescriptorLimit(Long.MAX_VALUE);
  }

  /** How many clients there is room for; {@link Long#MAX_VALUE}: as many as come. */
  public long clientsMax() {
    return clientsMax;
  }

  /** One more client. */
  void enter() {
    clients.incrementAndGet();
  }

  void leave() {
    clients.decrementAndGet();
  }

  /** Another client would go into the reserve. */
  boolean isReached() {
    return clients.get() >= clientsMax;
  }
}
