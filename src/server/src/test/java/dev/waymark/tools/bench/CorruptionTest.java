package dev.waymark.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.tools.bench.Corruption.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class CorruptionTest {
  private static final int CONNECTION = 5;
  private static final int CONNECTIONS = 100;
  private static final long OFFSET = 1_003;
  private static final int LENGTH = 64;

  private final Payload payload = new Payload(-9);

  @Test
  void byte_flipped_isReportedWithBothValues() {
    byte[] got = bytes(CONNECTION, OFFSET, LENGTH);
    got[20] ^= 0x40;
    Corruption corruption = find(got);
    assertThat(corruption.kind()).isEqualTo(Kind.CHANGED);
    assertThat(corruption.connection()).isEqualTo(CONNECTION);
    assertThat(corruption.offset()).isEqualTo(OFFSET + 20);
    assertThat(corruption.expected()).isEqualTo(payload.at(CONNECTION, OFFSET + 20) & 0xff);
    assertThat(corruption.got()).isEqualTo(got[20] & 0xff);
    assertThat(corruption.text())
        .startsWith("connection 5, offset 1023: expected byte 0x")
        .endsWith(": changed (different value)");
  }

  @Test
  void bytes_lost_areCounted() {
    Corruption corruption = find(join(bytes(CONNECTION, OFFSET, 20), from(OFFSET + 23)));
    assertThat(corruption.kind()).isEqualTo(Kind.LOST);
    assertThat(corruption.offset()).isEqualTo(OFFSET + 20);
    assertThat(corruption.text()).contains("3 bytes are missing");
  }

  @Test
  void bytes_duplicated_areCounted() {
    Corruption corruption = find(join(bytes(CONNECTION, OFFSET, 40), from(OFFSET + 8)));
    assertThat(corruption.kind()).isEqualTo(Kind.DUPLICATED);
    assertThat(corruption.offset()).isEqualTo(OFFSET + 40);
    assertThat(corruption.text()).contains("32 bytes are repeated");
  }

  @Test
  void chunks_swapped_areReported() {
    byte[] second = bytes(CONNECTION, OFFSET + 24, 24);
    byte[] first = bytes(CONNECTION, OFFSET, 24);
    Corruption corruption = find(join(second, first));
    assertThat(corruption.kind()).isEqualTo(Kind.SWAPPED);
    assertThat(corruption.offset()).isEqualTo(OFFSET);
    assertThat(corruption.text()).contains("bytes of offset 1027 are here");
  }

  @Test
  void bytes_ofAnotherConnection_areReportedWithTheirPlace() {
    Corruption corruption = find(join(bytes(CONNECTION, OFFSET, 10), bytes(77, 501, 30)));
    assertThat(corruption.kind()).isEqualTo(Kind.FOREIGN);
    assertThat(corruption.text()).contains("bytes of connection 77, offset 501");
  }

  @Test
  void bytes_ofNoConnection_areChanged() {
    Corruption corruption = find(join(bytes(CONNECTION, OFFSET, 10), new byte[30]));
    assertThat(corruption.kind()).isEqualTo(Kind.CHANGED);
  }

  @Test
  void bytes_beyondWhatWasSent_areExcess() {
    byte[] got = new byte[4];
    ByteBuffer in = ByteBuffer.wrap(got);
    int at = payload.mismatch(in, CONNECTION, OFFSET);
    Corruption corruption =
        Corruption.find(payload, in, at, CONNECTION, OFFSET + at, OFFSET, CONNECTIONS);
    assertThat(corruption.kind()).isEqualTo(Kind.EXCESS);
  }

  private Corruption find(byte[] got) {
    ByteBuffer in = ByteBuffer.wrap(got);
    int at = payload.mismatch(in, CONNECTION, OFFSET);
    long sentOffset = OFFSET + 200;
    return Corruption.find(payload, in, at, CONNECTION, OFFSET + at, sentOffset, CONNECTIONS);
  }

  private byte[] from(long offset) {
    return bytes(CONNECTION, offset, 40);
  }

  private byte[] bytes(int number, long offset, int length) {
    byte[] bytes = new byte[length];
    payload.fill(ByteBuffer.wrap(bytes), number, offset);
    return bytes;
  }

  private static byte[] join(byte[] first, byte[] second) {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(first);
    both.writeBytes(second);
    return both.toByteArray();
  }
}
