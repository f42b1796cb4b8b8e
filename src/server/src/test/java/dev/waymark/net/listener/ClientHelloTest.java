package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ClientHelloTest {
  private static final int MUTATIONS = Integer.getInteger("waymark.tls.hellos", 100_000);

  /** Of the record and of the handshake message. */
  private static final int HEADER_BYTES = 9;

  /** Of a ClientHello without extensions: version, random, no session, a cipher, no compression. */
  private static final byte[] START = new byte[2 + 32 + 1 + 4 + 2];

  @SuppressWarnings("NullAway.Init")
  private static byte[] real;

  @BeforeAll
  static void make() throws Exception {
    START[2 + 32 + 1 + 1] = 2;
    START[2 + 32 + 1 + 4] = 1;
    SSLEngine engine = SSLContext.getDefault().createSSLEngine();
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setServerNames(List.of(new SNIHostName("Device.Example.Com")));
    parameters.setApplicationProtocols(new String[] {"mqtt", "echo"});
    engine.setSSLParameters(parameters);
    ByteBuffer record = ByteBuffer.allocate(32_768);
    engine.wrap(ByteBuffer.allocate(0), record);
    real = Arrays.copyOfRange(record.array(), HEADER_BYTES, record.position());
  }

  private static ClientHello read(byte[]... parts) {
    ByteBuf bytes = Unpooled.wrappedBuffer(parts);
    ClientHello hello = ClientHello.read(bytes);
    assertThat(bytes.readerIndex()).isZero();
    return hello;
  }

  /** A ClientHello with one extension. */
  private static ClientHello with(int type, byte[] content) {
    int length = content.length;
    return read(START, twoBytes(length + 4), twoBytes(type), twoBytes(length), content);
  }

  private static byte[] twoBytes(int value) {
    return new byte[] {(byte) (value >> 8), (byte) value};
  }

  private static byte[] name(String name) {
    byte[] bytes = name.getBytes(US_ASCII);
    return Unpooled.wrappedBuffer(
            twoBytes(bytes.length + 3), new byte[] {0}, twoBytes(bytes.length), bytes)
        .copy()
        .array();
  }

  @Test
  void hello_ofTheJdk_isRead() {
    assertThat(read(real))
        .isEqualTo(new ClientHello("device.example.com", List.of("mqtt", "echo")));
  }

  @Test
  void start_ofAClientHello_isRecognized() {
    assertThat(isAtStart(22, 3, 1, 2, 0, 1, 0)).isTrue();
    assertThat(isAtStart(22, 3, 3, 0, 5, 1)).isTrue();
    assertThat(isAtStart(22, 3, 3, 0, 5)).isFalse();
    assertThat(isAtStart(22, 3, 3, 0, 5, 2)).isFalse();
    assertThat(isAtStart(21, 3, 3, 0, 5, 1)).isFalse();
    assertThat(isAtStart('G', 'E', 'T', ' ', '/', ' ')).isFalse();
  }

  private static boolean isAtStart(int... values) {
    ByteBuf bytes = Unpooled.buffer();
    for (int value : values) {
      bytes.writeByte(value);
    }
    return ClientHello.isAtStartOf(bytes);
  }

  @Test
  void hello_withoutExtensions_hasNothing() {
    assertThat(read(START)).isEqualTo(new ClientHello(null, List.of()));
    assertThat(read(START, twoBytes(0))).isEqualTo(new ClientHello(null, List.of()));
  }

  @Test
  void serverName_isAbsent_unlessItIsPrintableAndShort() {
    assertThat(with(0, name("A.example")).serverName()).isEqualTo("a.example");
    assertThat(with(0, name("a".repeat(255))).serverName()).hasSize(255);
    assertThat(with(0, name("a".repeat(256))).serverName()).isNull();
    assertThat(with(0, name("a\nb")).serverName()).isNull();
    assertThat(with(0, name("")).serverName()).isNull();
    byte[] notAHost = name("a.example");
    notAHost[2] = 1;
    assertThat(with(0, notAHost).serverName()).isNull();
  }

  @Test
  void protocols_thatAreMalformed_countAsAbsent() {
    assertThat(with(16, new byte[] {0, 2, 1, 'a'}).applicationProtocols()).containsExactly("a");
    assertThat(with(16, new byte[] {0, 2, 9, 'a'}).applicationProtocols()).isEmpty();
    assertThat(with(16, new byte[] {0, 9, 1, 'a'}).applicationProtocols()).isEmpty();
  }

  @Test
  void hello_thatIsTruncated_isReadWithoutAnException() {
    for (int length = 0; length < real.length; length++) {
      assertBounded(read(Arrays.copyOf(real, length)));
    }
  }

  @Test
  void hello_thatIsMutated_isReadWithoutAnException() {
    SplittableRandom random = new SplittableRandom(15);
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] bad = Arrays.copyOf(real, random.nextInt(real.length / 2, real.length + 1));
      for (int flips = random.nextInt(1, 9); flips > 0; flips--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      assertBounded(read(bad));
    }
  }

  private static void assertBounded(ClientHello hello) {
    String name = hello.serverName();
    assertThat(name == null || name.length() <= 255).isTrue();
    assertThat(hello.applicationProtocols().size()).isLessThan(real.length);
  }
}
