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
  void fin_behindADelayedReply_neverOvertakesItHoweverLateTheSchedulerReadsTheClock() {
    List<String> answers = new CopyOnWriteArrayList<>();
    AtomicLong nowNs = new AtomicLong();
    try (var scheduler = Executors.newSingleThreadScheduledExecutor()) {
      Delays.Line line = new Delays(scheduler, nowNs::get).newLine();
      line.after(Duration.ofMillis(60), 10, () -> answers.add("reply"));
      // The scheduler's clock has not moved as far: it is to wait 20 ms for this one.
      nowNs.addAndGet(Duration.ofMillis(40).toNanos());
      line.after(Duration.ZERO, 0, () -> answers.add("FIN"));
      await().untilAsserted(() -> assertThat(answers).containsExactly("reply", "FIN"));
    }
  }
}
