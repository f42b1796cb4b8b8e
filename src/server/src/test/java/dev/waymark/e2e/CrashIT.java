package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Upstreams that are killed: their connections resume elsewhere exactly where they were. */
final class CrashIT {
  /** To measure: -Dwaymark.crash.connections=9800. */
  private static final int LOADED = Integer.getInteger("waymark.crash.connections", 500);

  /** Gives 2,500 requests a second, whatever the number of clients. */
  private static final long THINK_MS = LOADED * 2L / 5;

  /** Clients that keep sending while a poison request moves on: most have one in flight. */
  private static final int POISON_BYSTANDERS = 100;

  private static final long POISON_THINK_MS = 5;

  private static final int MANY = 150;
  private static final int POISONERS = 8;

  @TempDir private static Path folder;

  private static String rules(String text) throws IOException {
    return "--rules=" + Files.writeString(Files.createTempFile(folder, "rules", ".yml"), text);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void upstreamKilled_underLoad_costsClientsOnlyAPause() {
    try (Scene scene = Scene.of(2, "policy: round-robin")) {
      List<Client> clients = scene.connect(LOADED);
      try (Load load = Load.on(clients, 300, THINK_MS)) {
        await().until(() -> load.replies() > LOADED);
        Stub victim = scene.stub(0);
        Stub heir = scene.stub(1);
        Map<String, Integer> orphans = victim.epochs();
        Map<String, Integer> own = heir.epochs();
        assertThat(orphans.size() + own.size()).isEqualTo(LOADED);
        load.forgetPauses();
        victim.process().kill();
        // Listing thousands of connections at the stub would cost more than the move.
        String owner = "upstream=\"%s\"".formatted(heir.address());
        await().until(() -> scene.metric("waymark_upstream_connections", owner) == LOADED);
        assertThat(heir.epochs())
            .containsAllEntriesOf(own)
            .allSatisfy(
                (mark, epoch) -> assertThat(epoch).isEqualTo(orphans.containsKey(mark) ? 1 : 0));
        long before = load.replies();
        await().until(() -> load.replies() > before + LOADED);
        load.stop();
        System.out.printf(
            "killed: longest wait for a reply %s; at the bridge %s%n",
            load.pauses(), pauses(scene));
        assertThat(load.longestPause()).isLessThan(Duration.ofSeconds(5));
      }
      scene.assertNoneClosed();
      scene.endAll(clients);
    }
  }

  private static String pauses(Scene scene) {
    String bucket = "waymark_pause_seconds_bucket";
    return "%d pauses, of which %d within 100 ms and %d within 500 ms"
        .formatted(
            scene.metric("waymark_pause_seconds_count"),
            scene.metric(bucket, "le=\"0.1\""),
            scene.metric(bucket, "le=\"0.5\""));
  }

  @Test
  void upstreamKilled_betweenFinAndReply_anotherRepliesAndThenSendsFin() throws IOException {
    String rules = rules("- {contains: \"who, later?\", reply: \"${name}\", delay: 2s}\n");
    List<Stub> stubs =
        Scene.startAll(
            List.of(
                () -> Scene.stub("127.0.0.1:0", rules, "--name=one"),
                () -> Scene.stub("127.0.0.1:0", rules, "--name=two")));
    try (Scene scene = Scene.inFrontOf(stubs, "policy: round-robin")) {
      Client client = scene.connect();
      client.write(ascii("who, later?")).end();
      await()
          .until(() -> scene.stubs().stream().mapToLong(stub -> stub.stat("requests")).sum() == 1);
      Stub victim = scene.ownerOf(client);
      victim.process().kill();
      assertThat(client.readExactly(3))
          .asString()
          .isEqualTo(victim == stubs.get(0) ? "two" : "one");
      client.expectEnd();
      scene.bridge().assertClosed(client, "done");
    }
  }

  @Test
  void upstreamKilled_withRepliesQueued_slowClientGetsThemOnce() {
    try (Scene scene = Scene.of(2, "policy: round-robin")) {
      Client client = Client.connectNarrow(scene.bridge().port());
      int bytes = 16 << 20; // The kernel buffers some MiB even if nobody reads.
      try (client;
          var sender = Clients.inBackground(() -> client.send(bytes).end())) {
        await()
            .ignoreExceptions()
            .until(() ->
                scene.bridge().admin().connectionOf(client.address()).get("queuedBytes").getAsLong()
                    > 100_000);
        scene.ownerOf(client).process().kill();
        client.expect(bytes).expectEnd();
        sender.join();
      }
      scene.bridge().assertClosed(client, "done");
    }
  }

  /** Each crash also interrupts requests of other clients, which must survive. */
  @Test
  void poisonRequest_killsAtMostThreeUpstreamsAndEndsOnlyItsClient() throws IOException {
    String rules = rules("- {contains: \"a poison request\", crash: true}\n");
    try (Scene scene = Scene.ofOneShard(5, "policy: round-robin", rules)) {
      List<Client> others = scene.connect(POISON_BYSTANDERS);
      try (Load load = Load.on(others, 300, POISON_THINK_MS)) {
        await().until(() -> load.replies() > 2 * POISON_BYSTANDERS);
        load.forgetPauses();
        Client poisoner = scene.connect();
        poisoner.write(ascii("a poison request"));
        poisoner.expectGone();
        poisoner.close();
        assertThat(scene.bridge().awaitClosed(poisoner)).containsEntry("reason", "poison");
        long before = load.replies();
        await().until(() -> load.replies() > before + 2 * POISON_BYSTANDERS);
        assertThat(scene.bridge().closed()).as("only the poisoner was closed").hasSize(1);
        load.stop();
        System.out.printf(
            "poisoned: longest wait for a reply %s; at the bridge %s%n",
            load.pauses(), pauses(scene));
      }
      assertThat(scene.stubs().stream().filter(stub -> !stub.process().isAlive()).count())
          .as("crashed upstreams")
          .isBetween(2L, 3L);
      assertThat(scene.replayedBytes()).isPositive();
      scene.endAll(others);
    }
  }

  /** Upstreams come back soon. All other clients have a request in flight nearly all the time. */
  @Test
  void poisonRequests_ofManyClients_endOnlyTheirClients() throws IOException {
    try (MortalUpstream one = new MortalUpstream();
        MortalUpstream two = new MortalUpstream();
        MortalUpstream three = new MortalUpstream()) {
      List<MortalUpstream> upstreams = List.of(one, two, three);
      String addresses = String.join(",", upstreams.stream().map(MortalUpstream::address).toList());
      try (Scene scene = Scene.at("static:///" + addresses, List.of(), "policy: round-robin")) {
        scene.awaitServing(upstreams.size());
        List<Client> others = scene.connect(MANY - POISONERS);
        List<Client> poisoners = scene.connect(POISONERS);
        try (Load load = Load.on(others, 300, POISON_THINK_MS)) {
          await().until(() -> load.replies() > 2 * MANY);
          load.forgetPauses();
          Clients.inParallel(
              poisoners,
              poisoner -> {
                poisoner.write(ascii("poison"));
                poisoner.expectGone();
                poisoner.close();
              });
          long before = load.replies();
          await().until(() -> load.replies() > before + 2 * MANY);
          load.stop();
          System.out.printf(
              "poisoned by %d: longest wait for a reply %s; %d upstreams killed%n",
              POISONERS, load.pauses(), upstreams.stream().mapToInt(MortalUpstream::deaths).sum());
        }
        await()
            .untilAsserted(() ->
                assertThat(scene.metric("waymark_connections_closed_total", "reason=\"poison\""))
                    .isEqualTo(POISONERS));
        assertThat(scene.metric("waymark_connections_closed_total"))
            .as("only the poisoners were closed")
            .isEqualTo(POISONERS);
        scene.endAll(others);
      }
    }
  }
}
