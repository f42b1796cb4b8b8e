package dev.waymark.net.admission;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A look-up among 100,000 networks: the price of each client that connects. The networks are spread
 * as those that are assigned: IPv4 /16 to /32 anywhere, IPv6 /32 to /64 in a few blocks.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class NetworkSetBenchmark {
  private static final int NETWORKS = 100_000;

  /** Few enough to be in the cache, as an address is that has just been accepted. */
  private static final int ADDRESSES = 1 << 12;

  /** The first 16 bits of the blocks that the registries assign from. */
  private static final long[] IPV6_BLOCKS = {0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00};

  @Param({"ipv4", "ipv6"})
  private String family = "ipv4";

  private final InetAddress[] addresses = new InetAddress[ADDRESSES];
  private NetworkSet networks = NetworkSet.EMPTY;
  private int next;

  @Setup
  public void setUp() throws UnknownHostException {
    SplittableRandom random = new SplittableRandom(7);
    List<Network> all = new ArrayList<>();
    for (int i = 0; i < NETWORKS; i++) {
      all.add(Network.read(network(random)));
    }
    networks = NetworkSet.of(all);
    for (int i = 0; i < ADDRESSES; i++) {
      addresses[i] = InetAddress.getByAddress(ip(random));
    }
  }

  private byte[] ip(SplittableRandom random) {
    if (family.equals("ipv4")) {
      return ByteBuffer.allocate(4).putInt(random.nextInt()).array();
    }
    long block = IPV6_BLOCKS[random.nextInt(IPV6_BLOCKS.length)];
    long high = block << 48 | random.nextLong() >>> 20;
    return ByteBuffer.allocate(16).putLong(high).putLong(random.nextLong()).array();
  }

  private String network(SplittableRandom random) throws UnknownHostException {
    byte[] ip = ip(random);
    int bits = ip.length == 4 ? 16 + random.nextInt(17) : 32 + random.nextInt(33);
    for (int bit = bits; bit < ip.length * 8; bit++) {
      ip[bit / 8] &= (byte) ~(0x80 >>> bit % 8);
    }
    return InetAddress.getByAddress(ip).getHostAddress() + "/" + bits;
  }

  @Benchmark
  public @Nullable Network find() {
    next = (next + 1) & (ADDRESSES - 1);
    return networks.find(addresses[next]);
  }
}
