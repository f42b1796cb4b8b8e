package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TurnWatchIT {
  private final MultiThreadIoEventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
  private final EventLoop first = (EventLoop) loops.next();
  private final TurnWatch watch = new TurnWatch();

  @BeforeEach
  void start() {
    watch.watch("shard 0", first);
    watch.watch("shard 1", (EventLoop) loops.next());
  }

  @AfterEach
  void stop() {
    watch.close();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void loop_stuck_isNamedUntilItTurnsAgain() {
    CountDownLatch release = new CountDownLatch(1);
    first.execute(() -> {
      try {
        release.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
    for (int checks = 0; checks < TurnWatch.MISSED_MAX; checks++) {
      watch.check();
      assertThat(watch.stuck()).isEmpty();
    }
    watch.check();
    assertThat(watch.stuck()).contains("shard 0 has not turned for 5 s");
    release.countDown();
    await()
        .untilAsserted(() -> {
          watch.check();
          assertThat(watch.stuck()).isEmpty();
        });
  }

  @Test
  void loop_ended_isNamed() {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    for (int checks = 0; checks <= TurnWatch.MISSED_MAX; checks++) {
      watch.check();
    }
    assertThat(watch.stuck()).contains("shard 0 has not turned for 5 s");
  }
}
