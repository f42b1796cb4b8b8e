package dev.waymark.net.listener;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class SocketClientTest {
  @Test
  void host_ofText_isTheAddressWithoutPort() {
    assertThat(hostOf("192.0.2.7", 40_000)).isEqualTo("192.0.2.7");
    assertThat(hostOf("2001:db8::7", 40_000)).isEqualTo("2001:db8::7");
    assertThat(hostOf("::1", 1)).isEqualTo("::1");
  }

  @Test
  void host_ofNoAddress_isUnknown() {
    assertThat(SocketClient.host(SocketClient.text(null))).isEqualTo("unknown");
  }

  private static String hostOf(String address, int port) {
    return SocketClient.host(SocketClient.text(new InetSocketAddress(address, port)));
  }
}
