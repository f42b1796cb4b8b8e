package dev.waymark.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class LeakCheckTest {
  static Stream<ByteBufAllocator> allocators() {
    return Stream.of(PooledByteBufAllocator.DEFAULT, UnpooledByteBufAllocator.DEFAULT);
  }

  @ParameterizedTest
  @MethodSource("allocators")
  void buffer_droppedUnreleased_isReportedWithWhereItWasTouched(ByteBufAllocator allocator) {
    drop(allocator);
    await()
        .untilAsserted(() ->
            assertThat(LeakCheck.leaks())
                .singleElement()
                .asString()
                .contains("LeakCheckTest.drop"));
  }

  @ParameterizedTest
  @MethodSource("allocators")
  void buffer_released_isNotReported(ByteBufAllocator allocator) {
    allocator.directBuffer(16).release();
    assertThat(LeakCheck.leaks()).isEqualTo(List.of());
  }

  private static void drop(ByteBufAllocator allocator) {
    allocator.directBuffer(16).touch("dropped on purpose");
  }
}
