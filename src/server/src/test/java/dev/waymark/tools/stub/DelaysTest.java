package dev.waymark.tools.stub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class DelaysTest {
  @Test
  void fin_afterADelayedReply_neverOvertakesItEvenIfItsTaskFiresFirst() {
    List<String> answers = new CopyOnWriteArrayList<>();
    AtomicLong nowNs = new AtomicLong();
    try (var scheduler = Executors.newSingleThreadScheduledExecutor()) {
      Delays.ReplyQueue queue = new Delays(scheduler, nowNs::get).newQueue();
      queue.schedule(Duration.ofMillis(60), 10, () -> answers.add("reply"));
      // The scheduler's own clock has not moved that far: its task for the FIN fires first,
      // after 20 ms.
      nowNs.addAndGet(Duration.ofMillis(40).toNanos());
      queue.schedule(Duration.ZERO, 0, () -> answers.add("FIN"));
      await().untilAsserted(() -> assertThat(answers).containsExactly("reply", "FIN"));
    }
  }
}
