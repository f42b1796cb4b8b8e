package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.telemetry.EventLog;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AbortTest {
  private final List<Integer> codes = new ArrayList<>();
  private final Abort abort = new Abort(new EventLog(() -> 0), codes::add);

  @Test
  void error_outOfMemory_exitsWith3() {
    abort.onError("shard", new OutOfMemoryError("Cannot reserve direct buffer memory"));
    assertThat(codes).containsExactly(3);
  }

  @Test
  void error_anyOther_exitsWith4() {
    abort.onError("shard", new StackOverflowError());
    assertThat(codes).containsExactly(4);
  }

  @Test
  void error_afterTheFirst_isIgnored() {
    abort.onLoopEnded("shard 0");
    abort.onError("shard 1", new OutOfMemoryError());
    assertThat(codes).containsExactly(4);
  }
}
