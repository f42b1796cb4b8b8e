package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code follow: leader} with three stubs, of which at most one is SERVING. */
final class LeaderIT {
  private static final String QUESTION = "who are you?";

  private static Scene scene;
  private static long closedBefore;

  @BeforeAll
  static void start(@TempDir Path folder) throws IOException {
    Path rules =
        Files.writeString(
            folder.resolve("rules.yml"),
            "- {contains: \"%s\", reply: \"${name}\"}\n".formatted(QUESTION));
    List<Supplier<Stub>> starts = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      String name = "--name=" + i;
      starts.add(() -> Scene.stub("127.0.0.1:0", name, "--rules=" + rules));
    }
    List<Stub> stubs = Scene.startAll(starts);
    stubs.forEach(stub -> stub.admin().post("/health?status=NOT_SERVING"));
    String target = "static:///" + String.join(",", stubs.stream().map(Stub::address).toList());
    scene = Scene.at(target, stubs, "follow: leader");
  }

  @AfterAll
  static void stop() {
    scene.close();
  }

  @BeforeEach
  void elect() {
    scene.stubs().forEach(stub -> stub.admin().post("/health?status=NOT_SERVING"));
    scene.stub(0).admin().post("/health?status=SERVING");
    scene.awaitServing(1);
    closedBefore = scene.metric("waymark_connections_closed_total");
  }

  private static int leaderOf(Client client) {
    client.write(QUESTION.getBytes(StandardCharsets.US_ASCII));
    return client.readExactly(1)[0] - '0';
  }

  @Test
  void data_goesOnlyToTheLeaderThoughAllHaveLanes() {
    List<Client> clients = scene.connect(30);
    Clients.inParallel(clients, client -> client.echo(10_000));
    assertThat(scene.stub(0).epochs()).hasSizeGreaterThanOrEqualTo(30);
    assertThat(scene.stub(1).epochs()).isEmpty();
    assertThat(scene.stub(2).epochs()).isEmpty();
    assertThat(scene.metric("waymark_lanes_open")).isEqualTo(3);
    Clients.inParallel(clients, client -> client.end().expectEnd());
  }

  @Test
  void leaderChange_underLoad_losesNothingAndTheNewLeaderSoonReplies() {
    List<Client> clients = scene.connect(200);
    Client asker = scene.connect();
    assertThat(leaderOf(asker)).isZero();
    List<Long> pausesMs = new ArrayList<>();
    try (Load load = Load.on(clients, 300, 200)) {
      await().until(() -> load.replies() > 400);
      for (int change = 1; change <= 6; change++) {
        int next = change % 3;
        scene.stub((change - 1) % 3).admin().post("/health?status=NOT_SERVING");
        scene.stub(next).admin().post("/health?status=SERVING");
        long startNs = System.nanoTime();
        await()
            .pollDelay(Duration.ZERO)
            .pollInterval(Duration.ofMillis(1))
            .until(() -> leaderOf(asker) == next);
        pausesMs.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs));
        long before = load.replies();
        await().until(() -> load.replies() > before + 400);
        assertThat(scene.stub(next).epochs()).hasSize(201);
      }
      load.stop();
      System.out.printf(
          "leader changed: first reply from the new one after %s ms; longest wait for a reply %s%n",
          pausesMs, load.pauses());
      assertThat(pausesMs).allSatisfy(pause -> assertThat(pause).isLessThan(1_000));
    }
    assertThat(scene.metric("waymark_connections_closed_total")).isEqualTo(closedBefore);
    assertThat(scene.replayedBytes()).isZero();
    endAll(clients, asker);
  }

  @Test
  void noLeader_bytesWaitAndThenFlow() {
    List<Client> clients = scene.connect(100);
    Clients.inParallel(clients, client -> client.echo(100));
    scene.stub(0).admin().post("/health?status=NOT_SERVING");
    scene.awaitServing(0);
    List<Clients.Background> echoes =
        clients.stream().map(client -> Clients.inBackground(() -> client.echo(50_000))).toList();
    Client late = scene.connect();
    late.send(1_000);
    await()
        .during(Duration.ofSeconds(2))
        .atMost(Duration.ofSeconds(4))
        .until(() -> clients.stream().allMatch(client -> client.receivedOffset() == 100));
    scene.stub(1).admin().post("/health?status=SERVING");
    echoes.forEach(Clients.Background::join);
    late.expect(1_000);
    assertThat(scene.stub(1).epochs()).hasSize(101);
    assertThat(scene.metric("waymark_connections_closed_total")).isEqualTo(closedBefore);
    endAll(clients, late);
  }

  private static void endAll(List<Client> clients, Client other) {
    other.end().expectEnd();
    Clients.inParallel(clients, client -> client.end().expectEnd());
    await().until(() -> scene.metric("waymark_connections_open") == 0);
  }
}
