package dev.waymark.tools.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class LastLineTest {
  private static String last(String output) {
    LastLine line = new LastLine();
    line.read(new ByteArrayInputStream(output.getBytes(StandardCharsets.UTF_8)));
    return line.text();
  }

  @Test
  void output_ofLines_endsWithTheLastOne() {
    assertThat(last("one\ntwo\n")).isEqualTo("two");
    assertThat(last("one\ntwo")).isEqualTo("two");
    assertThat(last("one\n\n  \n")).isEqualTo("one");
    assertThat(last("")).isEmpty();
  }

  @Test
  void line_tooLong_isCut() {
    assertThat(last("x".repeat(100_000) + "\n")).isEqualTo("x".repeat(LastLine.BYTES_MAX));
  }

  @Test
  void controlCharacters_areDropped() {
    assertThat(last("\u001b[31mred\u0007\r\n")).isEqualTo("[31mred");
  }

  @Test
  void output_thatBreaksOff_keepsWhatCame() {
    LastLine line = new LastLine();
    line.read(
        new InputStream() {
          private int count;

          @Override
          public int read() throws IOException {
            throw new IOException("read one by one");
          }

          @Override
          public int read(byte[] into, int from, int length) throws IOException {
            if (count++ > 0) {
              throw new IOException("gone");
            }
            into[from] = 'a';
            return 1;
          }
        });
    assertThat(line.text()).isEqualTo("a");
  }
}
