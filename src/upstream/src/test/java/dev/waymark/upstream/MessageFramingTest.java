package dev.waymark.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class MessageFramingTest {
  static Stream<Arguments> framings() {
    return Stream.of(
        Arguments.of(new Framing.Raw(), "aabb", "aabb"),
        Arguments.of(new Framing.Line(), "aabb0a", "aabb"),
        Arguments.of(new Framing.Delimiter(new byte[] {13, 10}), "aa0d0a", "aa"),
        Arguments.of(new Framing.Fixed(2), "aabb", "aabb"),
        Arguments.of(new Framing.LengthPrefixed(0, 1, false, 0), "02aabb", "aabb"),
        Arguments.of(new Framing.LengthPrefixed(0, 2, true, 0), "0200aabb", "aabb"),
        Arguments.of(new Framing.LengthPrefixed(0, 4, false, -4), "00000006aabb", "aabb"),
        Arguments.of(new Framing.LengthPrefixed(1, 3, false, 0), "ff000002aabb", "ffaabb"),
        Arguments.of(new Framing.LengthPrefixed(0, 8, true, 0), "0100000000000000aa", "aa"),
        Arguments.of(new Framing.Varint(), "02aabb", "aabb"),
        Arguments.of(new Framing.Varint(), "8101" + "ab".repeat(129), "ab".repeat(129)));
  }

  @ParameterizedTest
  @MethodSource("framings")
  void message_strippedAndFramedAgain_isUnchanged(Framing framing, String message, String payload) {
    ByteBuf stripped =
        MessageFraming.strip(framing, Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(message)));
    assertThat(ByteBufUtil.hexDump(stripped)).isEqualTo(payload);

    ByteBuf owned = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(payload));
    ByteBuf framed = MessageFraming.putBack(framing, owned);
    assertThat(ByteBufUtil.hexDump(framed)).isEqualTo(message);
    framed.release();
    assertThat(owned.refCnt()).isZero();
  }

  @Test
  void payload_tooLargeForItsLength_isRefusedAndReleased() {
    ByteBuf large = Unpooled.wrappedBuffer(new byte[256]);
    assertThatThrownBy(
            () -> MessageFraming.putBack(new Framing.LengthPrefixed(0, 1, false, 0), large))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(large.refCnt()).isZero();
  }

  @Test
  void message_tooShort_isRefused() {
    ByteBuf tooShort = Unpooled.wrappedBuffer(new byte[] {1});
    assertThatThrownBy(
            () -> MessageFraming.strip(new Framing.LengthPrefixed(0, 4, false, 0), tooShort))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> MessageFraming.strip(new Framing.Varint(), Unpooled.EMPTY_BUFFER))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
