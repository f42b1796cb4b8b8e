package dev.waymark.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

class KeysTest {
  @Test
  void range_ofAPrefix_endsBeforeTheNextOne() {
    assertThat(Keys.endOf(ByteString.copyFromUtf8("svc/")))
        .isEqualTo(ByteString.copyFromUtf8("svc0"));
    assertThat(Keys.endOf(bytes('a', 0xff, 0xff))).isEqualTo(bytes('b'));
    assertThat(Keys.endOf(bytes(0x7f))).isEqualTo(bytes(0x80));
  }

  @Test
  void nextKey_isTheSmallestThatIsLarger() {
    assertThat(Keys.after(bytes('a'))).isEqualTo(bytes('a', 0));
  }

  private static ByteString bytes(int... values) {
    ByteString all = ByteString.EMPTY;
    for (int value : values) {
      all = all.concat(ByteString.copyFrom(new byte[] {(byte) value}));
    }
    return all;
  }
}
