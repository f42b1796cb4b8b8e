package dev.waymark.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MarkTest {
  @Test
  void text_ofAMark_isBase32OfBothHalves() {
    assertThat(new Mark(0, 1)).hasToString("0000000000000-000000001");
    assertThat(new Mark(-1, (1L << 45) - 1)).hasToString("fzzzzzzzzzzzz-zzzzzzzzz");
    assertThat(new Mark(32, 31)).hasToString("0000000000010-00000000z");
  }

  @Test
  void parse_textOfAMark_returnsTheMark() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 1000; i++) {
      Mark mark = new Mark(random.nextLong(), random.nextLong() >>> 19);
      assertThat(Mark.parse(mark.toString())).isEqualTo(mark);
    }
  }

  @Test
  void text_ofALaterMark_sortsAfterAnEarlierOne() {
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 1000; i++) {
      long startUnixMs = Mark.EPOCH_UNIX_MS + random.nextLong(1L << 41);
      long earlier = Mark.instance(startUnixMs, random.nextLong());
      long later = Mark.instance(startUnixMs + 1 + random.nextLong(1000), random.nextLong());
      long sequence = random.nextLong(1L << 44);
      assertThat(new Mark(earlier, sequence).toString()).isLessThan(new Mark(later, 1).toString());
      assertThat(new Mark(earlier, sequence).toString())
          .isLessThan(new Mark(earlier, sequence + 1).toString());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0000000000000000000001",
        "0000000000000-00000001",
        "0000000000000_000000001",
        "000000000000u-000000001",
        "000000000000A-000000001",
        "g000000000000-000000001",
        "0000000000000-00000000é",
        "0000000000000-0000000001"
      })
  void parse_notAMark_throwsWithTheText(String text) {
    assertThatThrownBy(() -> Mark.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + text + "' is not a mark");
    assertThat(Mark.isMark(text)).isFalse();
  }

  @Test
  void isMark_textOfAMark_isTrue() {
    assertThat(Mark.isMark(new Mark(-1, (1L << 45) - 1).toString())).isTrue();
    assertThat(Mark.isMark(new Mark(0, 0).toString())).isTrue();
  }
}
