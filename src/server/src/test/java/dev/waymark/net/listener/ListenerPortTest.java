package dev.waymark.net.listener;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class ListenerPortTest {
  @Test
  void text_ofALinkLocalAddress_hasItsZone() throws Exception {
    byte[] ip = InetAddress.ofLiteral("fe80::1").getAddress();
    var address = new InetSocketAddress(Inet6Address.getByAddress(null, ip, 3), 7000);
    assertThat(ListenerPort.text(address)).isEqualTo("[fe80::1%3]:7000");
    assertThat(ListenerPort.text(new InetSocketAddress("::1", 7000))).isEqualTo("[::1]:7000");
  }
}
