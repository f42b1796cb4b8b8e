package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class FramerTest {
  private static final int FRAME_BYTES_MAX = 300;
  private static final int ROUNDS = 300;

  /** The lengths of the messages, and the reason if cutting stopped early. */
  private record Cuts(List<Integer> lengths, @Nullable CloseReason reason, int restBytes) {}

  @ParameterizedTest
  @CsvSource({
    "x, axbxxc, 2 2 1",
    "ab, aabab, 3 2",
    "aab, aaabaab, 4 3",
    "abab, abaabababab, 7 4",
    "aa, aaaaa, 2 2",
    "abcabd, abcabcabdabcabd, 9 6",
  })
  void delimiter_selfOverlapping_cutsAfterFirstOccurrence(
      String delimiter, String stream, String lengths) {
    Framing framing = new Framing.Delimiter(delimiter.getBytes(ISO_8859_1));
    for (int chunkBytes = 1; chunkBytes <= stream.length(); chunkBytes++) {
      Cuts cuts = cut(framing, stream.getBytes(ISO_8859_1), chunkBytes);
      assertThat(cuts.lengths())
          .isEqualTo(Stream.of(lengths.split(" ")).map(Integer::valueOf).toList());
    }
  }

  @Test
  void line_upToMax_isCut_longerIsRefused() {
    byte[] fits = ("a".repeat(FRAME_BYTES_MAX - 1) + "\n").getBytes(ISO_8859_1);
    assertThat(cut(new Framing.Line(), fits, 7).lengths()).containsExactly(FRAME_BYTES_MAX);
    Framer framer = Framer.of(new Framing.Line(), FRAME_BYTES_MAX);
    ByteBuf in = Unpooled.wrappedBuffer("a".repeat(FRAME_BYTES_MAX).getBytes(ISO_8859_1));
    assertThatThrownBy(() -> framer.next(in))
        .isInstanceOf(FramingException.class)
        .satisfies(
            e -> assertThat(((FramingException) e).reason()).isEqualTo(CloseReason.FRAME_TOO_LONG))
        .satisfies(e -> assertThat(e.getStackTrace()).isEmpty());
  }

  @Test
  void line_byteByByte_readsEachByteOnce() throws FramingException {
    int bytes = 1 << 20;
    Framer framer = Framer.of(new Framing.Line(), bytes + 1);
    ByteBuf in = Unpooled.buffer(bytes + 1);
    for (int i = 0; i < bytes; i++) { // 2^39 reads if every call began at the start
      in.writeByte('a');
      assertThat(framer.next(in) == -1).isTrue();
    }
    assertThat(framer.next(in.writeByte('\n'))).isEqualTo(bytes + 1);
  }

  @Test
  void line_bufferCompactedBetweenCalls_keepsItsPlace() throws FramingException {
    Framer framer = Framer.of(new Framing.Line(), FRAME_BYTES_MAX);
    ByteBuf in = Unpooled.buffer().writeBytes("one\ntw".getBytes(ISO_8859_1));
    in.skipBytes(framer.next(in));
    assertThat(framer.next(in)).isEqualTo(-1);
    in.discardReadBytes().writeBytes("o\nthree".getBytes(ISO_8859_1));
    assertThat(framer.next(in)).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource({
    // offset, bytes, little-endian, adjustment, input, length or reason
    "0, 4, false, 0, 00000002aabb, 6",
    "0, 4, true, 0, 02000000aabb, 6",
    "0, 3, false, 0, 000002aabb, 5",
    "0, 3, true, 0, 020000aabb, 5",
    "1, 2, false, 0, ff0001aa, 4",
    "0, 1, false, 0, 00, 1",
    "0, 2, false, -2, 0004aabb, 4",
    "0, 2, false, 1, 0001aabb, 4",
    "0, 8, false, 0, 0000000000000001aa, 9",
    "0, 8, true, 0, 0100000000000000aa, 9",
    "0, 2, false, -2, 0001, FRAME_INVALID",
    "0, 2, false, 0, ffff, FRAME_TOO_LONG",
    "0, 4, false, 0, 7fffffff, FRAME_TOO_LONG",
    "0, 4, false, 0, 80000000, FRAME_TOO_LONG",
    "0, 4, false, 2147483647, 7fffffff, FRAME_TOO_LONG",
    "0, 4, false, -2147483648, 00000000, FRAME_INVALID",
    "0, 4, false, -2147483648, 80000001aa, 5",
    "0, 8, false, 0, 7fffffffffffffff, FRAME_TOO_LONG",
    "0, 8, false, 1, 7fffffffffffffff, FRAME_TOO_LONG",
    "0, 8, false, 0, 8000000000000000, FRAME_TOO_LONG",
    "0, 8, false, -1, ffffffffffffffff, FRAME_TOO_LONG",
  })
  void lengthPrefixed_field_givesLengthOrReason(
      int offset, int bytes, boolean littleEndian, int adjustment, String hex, String expected) {
    expect(new Framing.LengthPrefixed(offset, bytes, littleEndian, adjustment), hex, expected);
  }

  @ParameterizedTest
  @CsvSource({
    "00, 1",
    "01aa, 2",
    "8100aa, 3",
    "8180808000aa, 6",
    "ac02, FRAME_TOO_LONG", // 2 + 300
    "8080808080, FRAME_INVALID",
    "ffffffffff, FRAME_TOO_LONG",
    "8080808008, FRAME_TOO_LONG", // 2^31
    "80808080, -1",
  })
  void varint_field_givesLengthOrReason(String hex, String expected) {
    expect(new Framing.Varint(), hex, expected);
  }

  @Test
  void lengthPrefixed_tooLong_isDetectedAtTheField() {
    Cuts cuts =
        cut(new Framing.LengthPrefixed(0, 2, false, 0), ByteBufUtil.decodeHexDump("012b"), 1);
    assertThat(cuts.reason()).isEqualTo(CloseReason.FRAME_TOO_LONG); // 2 + 299
    assertThat(
            cut(new Framing.LengthPrefixed(0, 2, false, 0), ByteBufUtil.decodeHexDump("012a"), 1)
                .reason())
        .isNull();
  }

  @Test
  void of_impossibleFraming_isRefused() {
    assertThatThrownBy(() -> Framer.of(new Framing.Fixed(FRAME_BYTES_MAX + 1), FRAME_BYTES_MAX))
        .isNotNull();
    assertThatThrownBy(() -> Framer.of(new Framing.Delimiter(new byte[17]), FRAME_BYTES_MAX))
        .isNotNull();
    assertThatThrownBy(() -> Framer.of(new Framing.LengthPrefixed(0, 5, false, 0), FRAME_BYTES_MAX))
        .isNotNull();
    assertThatThrownBy(() ->
            Framer.of(new Framing.LengthPrefixed(Integer.MAX_VALUE, 4, false, 0), FRAME_BYTES_MAX))
        .isNotNull();
  }

  static Stream<Framing> framings() {
    return Stream.of(
        new Framing.Line(),
        new Framing.Delimiter("aab".getBytes(ISO_8859_1)),
        new Framing.Delimiter("\r\n\r\n".getBytes(ISO_8859_1)),
        new Framing.Fixed(13),
        new Framing.LengthPrefixed(0, 1, false, 0),
        new Framing.LengthPrefixed(3, 2, true, 0),
        new Framing.LengthPrefixed(1, 3, false, -4),
        new Framing.LengthPrefixed(0, 4, true, 2),
        new Framing.LengthPrefixed(0, 8, false, 0),
        new Framing.Varint());
  }

  @ParameterizedTest
  @MethodSource("framings")
  void anyChunking_ofMessages_givesTheSameCuts(Framing framing) {
    for (int seed = 0; seed < ROUNDS; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      ByteArrayOutputStream stream = new ByteArrayOutputStream();
      List<Integer> lengths = new ArrayList<>();
      for (int i = random.nextInt(20); i >= 0; i--) {
        byte[] message = message(framing, random);
        stream.writeBytes(message);
        lengths.add(message.length);
      }
      Cuts cuts = cut(framing, stream.toByteArray(), 1 + random.nextInt(seed % 2 == 0 ? 3 : 600));
      assertThat(cuts).as("%s seed %d", framing, seed).isEqualTo(new Cuts(lengths, null, 0));
    }
  }

  @ParameterizedTest
  @MethodSource("framings")
  void anyChunking_ofHostileBytes_givesTheSameCutsAndReason(Framing framing) {
    for (int seed = 0; seed < ROUNDS; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] stream = new byte[1 + random.nextInt(2_000)];
      random.nextBytes(stream);
      if (seed % 3 == 0) { // mostly small lengths, so that there is more than one message
        for (int i = 0; i < stream.length; i++) {
          stream[i] = (byte) (random.nextInt(8) == 0 ? stream[i] : stream[i] & 3);
        }
      }
      Cuts whole = cut(framing, stream, stream.length);
      Cuts pieces = cut(framing, stream, 1 + random.nextInt(9));
      assertThat(pieces.lengths()).as("%s seed %d", framing, seed).isEqualTo(whole.lengths());
      assertThat(pieces.reason()).as("%s seed %d", framing, seed).isEqualTo(whole.reason());
      assertThat(whole.lengths()).allMatch(length -> length > 0 && length <= FRAME_BYTES_MAX);
    }
  }

  private static byte[] message(Framing framing, SplittableRandom random) {
    return switch (framing) {
      case Framing.Raw() -> throw new AssertionError("raw has no messages");
      case Framing.Line() -> delimited(new byte[] {'\n'}, random);
      case Framing.Delimiter(byte[] delimiter) -> delimited(delimiter, random);
      case Framing.Fixed(int bytes) -> new byte[bytes];
      case Framing.Varint() -> varint(random.nextInt(250));
      case Framing.LengthPrefixed prefix -> prefixed(prefix, random);
    };
  }

  /**
   * Returns a message whose text lacks the delimiter's last byte, so that the delimiter occurs only
   * at its end.
   */
  private static byte[] delimited(byte[] delimiter, SplittableRandom random) {
    byte[] message = new byte[random.nextInt(200) + delimiter.length];
    String alphabet = "aaac\r".replace((char) delimiter[delimiter.length - 1], 'z');
    for (int i = 0; i < message.length; i++) {
      message[i] = (byte) alphabet.charAt(random.nextInt(alphabet.length()));
    }
    System.arraycopy(delimiter, 0, message, message.length - delimiter.length, delimiter.length);
    return message;
  }

  private static byte[] varint(int bytes) {
    ByteBuf out = Unpooled.buffer();
    int value = bytes;
    while (value >= 0x80) {
      out.writeByte((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    out.writeByte(value).writeZero(bytes);
    return ByteBufUtil.getBytes(out);
  }

  private static byte[] prefixed(Framing.LengthPrefixed prefix, SplittableRandom random) {
    int header = prefix.lengthOffset() + prefix.lengthBytes();
    int body = random.nextInt(200) + Math.max(0, prefix.lengthAdjustment());
    byte[] message = new byte[header + body];
    random.nextBytes(message);
    long value = (long) body - prefix.lengthAdjustment();
    for (int i = 0; i < prefix.lengthBytes(); i++) {
      int place = prefix.littleEndian() ? i : prefix.lengthBytes() - 1 - i;
      message[prefix.lengthOffset() + place] = (byte) (value >>> (8 * i));
    }
    return message;
  }

  private static void expect(Framing framing, String hex, String expected) {
    byte[] stream = ByteBufUtil.decodeHexDump(hex);
    for (int chunkBytes = 1; chunkBytes <= stream.length; chunkBytes++) {
      Cuts cuts = cut(framing, stream, chunkBytes);
      if (expected.startsWith("FRAME")) {
        assertThat(cuts.reason()).isEqualTo(CloseReason.valueOf(expected));
      } else if (expected.equals("-1")) {
        assertThat(cuts).isEqualTo(new Cuts(List.of(), null, stream.length));
      } else {
        assertThat(cuts).isEqualTo(new Cuts(List.of(Integer.valueOf(expected)), null, 0));
      }
    }
  }

  private static Cuts cut(Framing framing, byte[] stream, int chunkBytes) {
    Framer framer = Framer.of(framing, FRAME_BYTES_MAX);
    ByteBuf in = Unpooled.buffer();
    List<Integer> lengths = new ArrayList<>();
    try {
      for (int at = 0; at < stream.length; at += chunkBytes) {
        in.writeBytes(stream, at, Math.min(chunkBytes, stream.length - at));
        for (int bytes = framer.next(in); bytes >= 0; bytes = framer.next(in)) {
          lengths.add(bytes);
          in.skipBytes(bytes);
        }
      }
    } catch (FramingException e) {
      return new Cuts(lengths, e.reason(), in.readableBytes());
    }
    return new Cuts(lengths, null, in.readableBytes());
  }
}
