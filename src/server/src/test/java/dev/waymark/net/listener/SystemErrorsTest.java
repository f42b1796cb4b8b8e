package dev.waymark.net.listener;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SystemErrorsTest {
  @ParameterizedTest
  @CsvSource({
    "bind(..) failed with error(-98): Address already in use, Address already in use",
    "accept(..) failed: Too many open files, Too many open files",
    "Address already in use, Address already in use",
    "Connection refused: /127.0.0.1:1, Connection refused: /127.0.0.1:1"
  })
  void reason_hasNoNameOfASystemCall(String message, String reason) {
    assertThat(SystemErrors.reason(new IOException(message))).isEqualTo(reason);
  }

  @Test
  void reason_ofAFailureWithoutMessage_isItsType() {
    assertThat(SystemErrors.reason(new ClosedChannelException()))
        .isEqualTo("java.nio.channels.ClosedChannelException");
  }
}
