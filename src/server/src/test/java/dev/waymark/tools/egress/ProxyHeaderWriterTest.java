package dev.waymark.tools.egress;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.haproxy.HAProxyCommand;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol;
import io.netty.handler.codec.haproxy.HAProxyTLV;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Headers as Netty's decoder reads them. */
final class ProxyHeaderWriterTest {
  private static final String MARK = "0s9z8v37v2c64-000000001";

  @Test
  void addresses_ofIpv4_areNamedWithTheMark() {
    read(
        ProxyHeaderWriter.proxied("192.0.2.1:65535", "198.51.100.2:7000", MARK),
        header -> {
          assertThat(header.command()).isEqualTo(HAProxyCommand.PROXY);
          assertThat(header.proxiedProtocol()).isEqualTo(HAProxyProxiedProtocol.TCP4);
          assertThat(header.sourceAddress()).isEqualTo("192.0.2.1");
          assertThat(header.sourcePort()).isEqualTo(65_535);
          assertThat(header.destinationAddress()).isEqualTo("198.51.100.2");
          assertThat(header.destinationPort()).isEqualTo(7_000);
          HAProxyTLV only = header.tlvs().getFirst();
          assertThat(only.typeByteValue()).as("PP2_TYPE_UNIQUE_ID").isEqualTo((byte) 5);
          assertThat(only.content().toString(US_ASCII)).isEqualTo(MARK);
        });
  }

  @Test
  void addresses_ofIpv6_areNamed() {
    read(
        ProxyHeaderWriter.proxied("[2001:db8::1]:1", "[2001:db8::2]:2", MARK),
        header -> {
          assertThat(header.proxiedProtocol()).isEqualTo(HAProxyProxiedProtocol.TCP6);
          assertThat(header.sourceAddress()).isEqualTo("2001:db8:0:0:0:0:0:1");
          assertThat(header.destinationAddress()).isEqualTo("2001:db8:0:0:0:0:0:2");
        });
  }

  @Test
  void addresses_ofBothFamilies_becomeIpv6() {
    read(
        ProxyHeaderWriter.proxied("192.0.2.1:1", "[2001:db8::2]:2", MARK),
        header -> {
          assertThat(header.proxiedProtocol()).isEqualTo(HAProxyProxiedProtocol.TCP6);
          assertThat(header.sourceAddress()).isEqualTo("0:0:0:0:0:ffff:c000:201");
        });
  }

  @Test
  void address_thatIsUnknown_leavesTheMark() {
    read(
        ProxyHeaderWriter.proxied("unknown", "127.0.0.1:7000", MARK),
        header -> {
          assertThat(header.proxiedProtocol()).isEqualTo(HAProxyProxiedProtocol.UNKNOWN);
          assertThat(header.sourceAddress()).isNull();
        });
  }

  @Test
  void probe_isLocal() {
    read(
        ProxyHeaderWriter.local(),
        header -> assertThat(header.command()).isEqualTo(HAProxyCommand.LOCAL));
  }

  private static void read(ByteBuf header, Consumer<HAProxyMessage> assertions) {
    EmbeddedChannel channel = new EmbeddedChannel(new HAProxyMessageDecoder());
    channel.writeInbound(header);
    HAProxyMessage read = channel.readInbound();
    try {
      assertions.accept(read);
    } finally {
      read.release();
      channel.finishAndReleaseAll();
    }
  }
}
