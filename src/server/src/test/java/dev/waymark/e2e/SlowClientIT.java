package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One client that does not read its replies, among a thousand on the same lane. */
final class SlowClientIT {
  private static final int OTHERS = 999;

  @Test
  void client_notReading_leavesTheLatencyOfOthersAlone() {
    try (Scene scene = Scene.of(1, "policy: round-robin")) {
      List<Client> clients = scene.connect(OTHERS);
      try (Load load = Load.on(clients, 200, 500);
          Client slow = Client.connectNarrow(scene.bridge().port())) {
        awaitReplies(load);
        load.forgetPauses();
        awaitReplies(load);
        String before = load.pauses();
        try (var sender = Clients.inBackground(() -> slow.send(64L << 20))) {
          await()
              .until(() ->
                  scene.bridge().admin().connectionOf(slow.address()).get("queuedBytes").getAsLong()
                      > 100_000);
          load.forgetPauses();
          awaitReplies(load);
          System.out.printf("one client does not read: %s; before: %s%n", load.pauses(), before);
          assertThat(load.longestPause()).isLessThan(Duration.ofSeconds(2));
          assertThat(sender.isDone()).as("64 MiB were accepted").isFalse();
          load.stop();
          slow.reset();
        }
      }
      Clients.inParallel(clients, client -> client.end().expectEnd());
    }
  }

  private static void awaitReplies(Load load) {
    long before = load.replies();
    await().until(() -> load.replies() > before + 3 * OTHERS);
  }
}
