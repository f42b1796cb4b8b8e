package dev.waymark.net.dial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PacerTest {
  private static final long STEP_NS = 600_000;

  private final MockTicker ticker = Ticker.newMockTicker();
  private final EmbeddedChannel channel = EmbeddedChannel.builder().ticker(ticker).build();
  private final Pacer pacer = new Pacer(channel.eventLoop());
  private final List<Integer> done = new ArrayList<>();

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void fiveHundredSteps_alternateWithOtherWorkOfTheLoop() {
    IntStream.range(0, 500).forEach(this::submit);
    int turns = 0;
    while (done.size() < 500) {
      int before = done.size();
      channel.runPendingTasks();
      assertThat(done.size() - before).as("steps of one turn").isBetween(1, 4);
      turns++;
      channel.runScheduledPendingTasks();
      assertThat(done).as("none during the pause").hasSizeLessThanOrEqualTo(before + 4);
      ticker.advance(Pacer.PAUSE_NS, TimeUnit.NANOSECONDS);
    }
    assertThat(turns).isEqualTo(125);
    assertThat(done).isSorted();
  }

  @Test
  void oneStep_runsInTheNextTurn() {
    submit(1);
    assertThat(done).isEmpty();
    channel.runPendingTasks();
    assertThat(done).containsExactly(1);
    submit(2);
    channel.runPendingTasks();
    assertThat(done).containsExactly(1, 2);
  }

  @Test
  void stepThatThrows_doesNotStopTheOthers() {
    submit(1);
    pacer.later(() -> {
      throw new IllegalStateException("a defect");
    });
    submit(2);
    channel.runPendingTasks();
    assertThatThrownBy(channel::checkException).hasMessage("a defect");
    ticker.advance(Pacer.PAUSE_NS, TimeUnit.NANOSECONDS);
    channel.runPendingTasks();
    assertThat(done).containsExactly(1, 2);
  }

  private void submit(int step) {
    pacer.later(() -> {
      ticker.advance(STEP_NS, TimeUnit.NANOSECONDS);
      done.add(step);
    });
  }
}
