package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.TypeConversionException;

final class LengthOfTimeTest {
  @ParameterizedTest
  @CsvSource({
    "30, 30",
    "0.5, 0.5",
    "30s, 30",
    "500ms, 0.5",
    "5m, 300",
    "1.5m, 90",
    "1h, 3600",
    "-1, -1"
  })
  void seconds_withOrWithoutUnit_areParsed(String text, double seconds) {
    assertThat(new LengthOfTime.Seconds().convert(text)).isEqualTo(seconds);
  }

  @ParameterizedTest
  @CsvSource({"30, 30", "30s, 30", "500ms, 1", "1.5s, 2", "2m, 120", "0, 0", "-1, -1"})
  void wholeSeconds_fraction_isRoundedUp(String text, int seconds) {
    assertThat(new LengthOfTime.WholeSeconds().convert(text)).isEqualTo(seconds);
  }

  @ParameterizedTest
  @CsvSource({"1000, 1000", "100ms, 100", "1s, 1000", "0.1s, 100", "1m, 60000"})
  void millis_withOrWithoutUnit_areParsed(String text, int millis) {
    assertThat(new LengthOfTime.Millis().convert(text)).isEqualTo(millis);
  }

  @Test
  void duration_invalid_isRefusedWithExpectedFormat() {
    for (String text : new String[] {"", "x", "3 s", "3S", "s", "1e"}) {
      assertThatThrownBy(() -> new LengthOfTime.Seconds().convert(text))
          .isInstanceOf(TypeConversionException.class)
          .hasMessage("'" + text + "' (expected: seconds, such as 30, or 500ms, 30s, 5m or 1h)");
    }
    assertThatThrownBy(() -> new LengthOfTime.WholeSeconds().convert("999999999h"))
        .hasMessage("'999999999h' is too long");
    assertThatThrownBy(() -> new LengthOfTime.WholeSeconds().convert("NaN"))
        .isInstanceOf(TypeConversionException.class);
  }
}
