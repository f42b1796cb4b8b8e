package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What a bridge makes of its directory's crashes and absences, with real processes: agents register
 * two stubs.
 */
final class DirectoryTrustIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @Test
  void directoryThatDiesAndComesBackEmpty_costsNoRequestAndNoRoute() {
    try (Stub one = Stub.start();
        Stub two = Stub.start();
        DirectoryProcess first = DirectoryProcess.start("--ttl=3s");
        Waymark agentOne = agent(first, one);
        Waymark agentTwo = agent(first, two);
        Bridge bridge = Bridge.start(Waymark.Launch::quick, "--upstream=" + first.target("echo"))) {
      await().atMost(PATIENCE).until(() -> serving(bridge) == 2);
      List<Client> clients = Clients.connect(20, bridge.port());
      try (Load load = Load.on(clients, 100, 10)) {
        first.process().kill();
        long replies = load.replies();
        bridge.process().awaitLineWith(" discovery-failed ", " cause=connection_refused");
        await().until(() -> load.replies() > replies + 100);
        assertThat(serving(bridge)).isEqualTo(2);
        try (DirectoryProcess again = DirectoryProcess.at(first.address(), "--ttl=3s")) {
          await()
              .atMost(PATIENCE)
              .until(() ->
                  instances(again) == 2 && !bridge.admin().get("/upstreams").contains("registry"));
          assertThat(serving(bridge)).isEqualTo(2);
          load.stop();
        }
      }
      assertThat(bridge.process().describe()).doesNotContain(" upstream-gone ");
      assertThat(agentOne.isAlive() && agentTwo.isAlive()).isTrue();
    }
  }

  @Test
  void partition_leavesRoutesAndHealthChecksAsTheyAre() {
    try (Stub one = Stub.start();
        Stub two = Stub.start();
        DirectoryProcess directory = DirectoryProcess.start("--ttl=3s");
        Waymark agentOne = agent(directory, one);
        Waymark agentTwo = agent(directory, two);
        Bridge bridge =
            Bridge.start(Waymark.Launch::quick, "--upstream=" + directory.target("echo"))) {
      await().atMost(PATIENCE).until(() -> serving(bridge) == 2);
      directory.process().signal("STOP");
      bridge.process().awaitLineWith(" discovery-failed ", " cause=registry_failed ", "silent");
      one.process().kill();
      await().atMost(PATIENCE).until(() -> serving(bridge) == 1);
      try (Client client = bridge.connect()) {
        client.send(100).expect(100);
      }
      directory.process().signal("CONT");
      await().atMost(PATIENCE).until(() -> instances(directory) == 1);
      await().atMost(PATIENCE).until(() -> !bridge.admin().get("/upstreams").contains("registry"));
      assertThat(agentOne.isAlive() && agentTwo.isAlive()).isTrue();
    }
  }

  private static Waymark agent(DirectoryProcess directory, Stub stub) {
    return Waymark.command(
            "agent",
            "--admin=127.0.0.1:0",
            "--service=echo",
            "--address=" + stub.address(),
            "--check=grpc",
            "--check-interval=200ms",
            "--registry=directory://" + directory.address())
        .quick()
        .start();
  }

  private static long serving(Bridge bridge) {
    return bridge.admin().metric("waymark_pool_upstreams_serving");
  }

  private static long instances(DirectoryProcess directory) {
    return directory.admin().metric("waymark_directory_instances");
  }
}
