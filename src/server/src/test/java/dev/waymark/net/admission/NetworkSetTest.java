package dev.waymark.net.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NetworkSetTest {
  private static NetworkSet of(String... networks) {
    return NetworkSet.of(Stream.of(networks).map(Network::read).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "10.1.2.3, 10.1.2.0/24",
    "10.1.3.3, 10.1.0.0/16",
    "10.1.2.255, 10.1.2.0/24",
    "10.2.0.0, 10.0.0.0/8",
    "10.255.255.255, 10.0.0.0/8",
    "255.255.255.255, 255.255.255.255",
    "2001:db8::1, 2001:db8::1",
    "2001:db8::2, 2001:db8::/64",
    "2001:db8:0:1::, 2001:db8::/32",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, ff00::/8",
  })
  void address_inNestedNetworks_findsTheNarrowest(String address, String network) {
    NetworkSet set =
        of(
            "10.1.2.0/24",
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.0.0/16",
            "255.255.255.255",
            "2001:db8::/32",
            "2001:db8::/64",
            "2001:db8::1",
            "ff00::/8");
    assertThat(set.find(InetAddress.ofLiteral(address))).hasToString(network);
    assertThat(set.size()).isEqualTo(8);
  }

  @ParameterizedTest
  @ValueSource(strings = {"9.255.255.255", "11.0.0.0", "0.0.0.0", "::a00:1", "::", "2001:db9::"})
  void address_inNoNetwork_findsNone(String address) {
    assertThat(of("10.0.0.0/8", "2001:db8::/32").find(InetAddress.ofLiteral(address))).isNull();
  }

  @Test
  void wholeFamily_doesNotContainTheOther() {
    InetAddress ipv4 = InetAddress.ofLiteral("192.0.2.7");
    InetAddress ipv6 = InetAddress.ofLiteral("2001:db8::1");
    assertThat(of("::/0").find(ipv4)).isNull();
    assertThat(of("::/0").find(ipv6)).hasToString("::/0");
    assertThat(of("0.0.0.0/0").find(ipv4)).hasToString("0.0.0.0/0");
    assertThat(of("0.0.0.0/0").find(ipv6)).isNull();
    assertThat(NetworkSet.EMPTY.find(ipv4)).isNull();
  }

  /** Few leading and trailing bits, so that networks nest, touch and begin at the same address. */
  private static byte[] anyIp(SplittableRandom random, boolean isIpv4) {
    byte[] ip = new byte[isIpv4 ? 4 : 16];
    int[] corners = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    for (int i = 0; i < ip.length; i++) {
      ip[i] =
          (byte)
              (random.nextInt(3) == 0 ? corners[random.nextInt(corners.length)] : i == 0 ? 32 : 0);
    }
    return ip;
  }

  private static Network any(SplittableRandom random) {
    boolean isIpv4 = random.nextBoolean();
    byte[] ip = anyIp(random, isIpv4);
    int bits = random.nextInt(ip.length * 8 + 1);
    for (int bit = bits; bit < ip.length * 8; bit++) {
      ip[bit / 8] &= (byte) ~(0x80 >>> bit % 8);
    }
    return new Network(
        Network.high(ip), Network.low(ip), isIpv4 ? bits + Network.IPV4_PREFIX_BITS : bits);
  }

  @Test
  void randomNetworks_areFoundAsByComparingWithEach() throws UnknownHostException {
    SplittableRandom random = new SplittableRandom(7);
    for (int run = 0; run < 400; run++) {
      List<Network> networks = new ArrayList<>();
      for (int i = random.nextInt(run % 10 == 0 ? 1_000 : 60); i >= 0; i--) {
        networks.add(any(random));
      }
      NetworkSet set = NetworkSet.of(networks);
      for (int i = 0; i < 200; i++) {
        InetAddress address = probe(random, networks);
        Network expected =
            networks.stream()
                .filter(network -> network.contains(address))
                .max(Comparator.comparingInt(Network::bits))
                .orElse(null);
        assertThat(set.find(address)).as("%s in %s", address, networks).isEqualTo(expected);
      }
    }
  }

  /** A random address, or one at or next to the edge of a network. */
  private static InetAddress probe(SplittableRandom random, List<Network> networks)
      throws UnknownHostException {
    if (random.nextBoolean()) {
      return InetAddress.getByAddress(anyIp(random, random.nextBoolean()));
    }
    Network network = networks.get(random.nextInt(networks.size()));
    boolean isFirst = random.nextBoolean();
    long high = isFirst ? network.high() : network.lastHigh();
    long low = (isFirst ? network.low() : network.lastLow()) + random.nextInt(3) - 1;
    return network.isIpv4()
        ? InetAddress.getByAddress(ByteBuffer.allocate(4).putInt((int) low).array())
        : InetAddress.getByAddress(ByteBuffer.allocate(16).putLong(high).putLong(low).array());
  }

  @Test
  void hundredThousandNetworks_areAllFound() {
    SplittableRandom random = new SplittableRandom(7);
    List<Network> networks = new ArrayList<>();
    for (int i = 0; i < 50_000; i++) {
      networks.add(
          new Network(0, 0xffff_0000_0000L | Integer.toUnsignedLong(random.nextInt()), 128));
      networks.add(new Network(0x2000L << 48 | random.nextLong() >>> 20 << 16, 0, 48));
    }
    NetworkSet set = NetworkSet.of(networks);
    for (int i = 0; i < 100_000; i += 2) {
      Network network = networks.get(i);
      int ip = (int) network.low();
      assertThat(set.find(InetAddress.ofLiteral(dotted(ip)))).isEqualTo(network);
    }
  }

  /** The index divides what crowds together once more, and gives up where nothing is left. */
  @Test
  void crowdedNetworks_areFound_alsoWithinOneNetworkOf64Bits() throws UnknownHostException {
    List<Network> networks = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      networks.add(Network.read("2001:db8::" + Integer.toHexString(i)));
      networks.add(Network.read("2001:db8:0:" + Integer.toHexString(i + 1) + "::/64"));
      networks.add(Network.read(Integer.toHexString(0x2000 + 4 * i) + "::/16"));
      networks.add(Network.read("::" + Integer.toHexString(i + 1)));
    }
    NetworkSet set = NetworkSet.of(networks);
    for (Network network : networks) {
      assertThat(set.find(last(network))).isEqualTo(network);
    }
    assertThat(set.find(InetAddress.ofLiteral("ffff::"))).isNull();
    assertThat(set.find(InetAddress.ofLiteral("1fff::"))).isNull();
  }

  private static InetAddress last(Network ipv6) throws UnknownHostException {
    return InetAddress.getByAddress(
        ByteBuffer.allocate(16).putLong(ipv6.lastHigh()).putLong(ipv6.lastLow()).array());
  }

  private static String dotted(int ip) {
    return (ip >>> 24) + "." + (ip >>> 16 & 255) + "." + (ip >>> 8 & 255) + "." + (ip & 255);
  }
}
