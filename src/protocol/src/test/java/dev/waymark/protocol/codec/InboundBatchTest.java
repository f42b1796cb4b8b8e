package dev.waymark.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.SizeLimits;
import io.grpc.KnownLength;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InboundBatchTest {
  private static final class Known extends ByteArrayInputStream implements KnownLength {
    Known(byte[] bytes) {
      super(bytes);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 16_384, 16_385, SizeLimits.BATCH_BYTES_MAX})
  void message_ofKnownOrUnknownLength_isCopied(int bytes) throws Exception {
    byte[] content = Bytes.ofLength(bytes);
    for (InputStream message :
        new InputStream[] {new Known(content), new ByteArrayInputStream(content)}) {
      InboundBatch batch = InboundBatch.copyOf(message);
      assertThat(Bytes.copyOf(batch.content())).isEqualTo(content);
      batch.release();
      assertThat(batch.content().refCnt()).isZero();
    }
  }

  @Test
  void message_oneByteTooLong_isRefused() {
    byte[] content = new byte[SizeLimits.BATCH_BYTES_MAX + 1];
    for (InputStream message :
        new InputStream[] {new Known(content), new ByteArrayInputStream(content)}) {
      InboundBatch batch = InboundBatch.copyOf(message);
      assertThatThrownBy(batch::content).isSameAs(MalformedFrameException.BATCH_TOO_LARGE);
      batch.release();
    }
  }

  @Test
  void message_unreadable_throwsInternal() throws IOException {
    InputStream closed = InputStream.nullInputStream();
    closed.close();
    assertThatThrownBy(() -> InboundBatch.copyOf(closed))
        .isInstanceOf(StatusRuntimeException.class);
  }
}
