package dev.waymark.tools.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.AgentServices;
import dev.waymark.config.BadValueException;
import dev.waymark.config.RegistryAddress;
import dev.waymark.e2e.Etcd;
import dev.waymark.etcd.EtcdUser;
import dev.waymark.telemetry.EventLog;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An agent in this process that registers in a real etcd. */
final class EtcdRegistrarIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  @TempDir private Path folder;

  private static Agent agent(Etcd etcd, String address, Optional<EtcdUser> user)
      throws BadValueException {
    Map<String, String> flags = new HashMap<>();
    flags.put("--service", "echo");
    flags.put("--address", address);
    flags.put("--check", "grpc");
    flags.put("--check-interval", "100ms");
    flags.put("--zone", "a");
    return Agent.start(
        new AgentOptions(
            "node-1",
            Duration.ofSeconds(5),
            List.of(AgentServices.ofFlags(flags)),
            List.of(RegistryAddress.read("etcd://" + etcd.address() + "/prod")),
            Optional.empty(),
            Optional.empty(),
            user),
        new EventLog(System::nanoTime),
        System::nanoTime,
        Instant::now,
        RandomGenerator.of("L64X128MixRandom"));
  }

  private static boolean isRegistered(Agent agent) {
    return agent.registrars().getFirst().status().isRegistered();
  }

  @Test
  @SuppressWarnings("try") // The agent ends in the middle.
  void service_isInEtcdWhileItIsHealthyAndTheAgentRuns() throws IOException, BadValueException {
    try (Etcd etcd = Etcd.start(folder);
        ScriptedService service = ScriptedService.start();
        Agent agent = agent(etcd, service.address(), Optional.empty())) {
      String key = "prod/echo/" + service.address();
      String entry =
          key
              + "\n{\"Op\":0,\"Addr\":\""
              + service.address()
              + "\",\"Metadata\":{\"labels\":{\"zone\":\"a\"}}}\n";
      await().atMost(TIMEOUT).until(() -> isRegistered(agent));
      assertThat(etcd.ctl("get", "--prefix", "prod/")).isEqualTo(entry);
      service.say(ServingStatus.NOT_SERVING);
      await().atMost(TIMEOUT).until(() -> etcd.ctl("get", "--prefix", "prod/").isEmpty());
      service.say(ServingStatus.SERVING);
      await().atMost(TIMEOUT).until(() -> etcd.ctl("get", "--prefix", "prod/").equals(entry));
      etcd.kill();
      etcd.restartEmpty();
      await().atMost(TIMEOUT).until(() -> etcd.ctl("get", "--prefix", "prod/").equals(entry));
      agent.close();
      assertThat(etcd.ctl("get", "--prefix", "prod/")).isEmpty();
    }
  }

  @Test
  void etcd_thatAsksForALogin_isToldWhoItIs() throws IOException, BadValueException {
    try (Etcd etcd = Etcd.start(folder);
        ScriptedService service = ScriptedService.start()) {
      etcd.enableAuth("prod/");
      try (Agent stranger = agent(etcd, service.address(), Optional.empty())) {
        await()
            .atMost(TIMEOUT)
            .until(() -> !stranger.registrars().getFirst().status().problem().isEmpty());
      }
      EtcdUser node = new EtcdUser("node", () -> "secret");
      try (Agent agent = agent(etcd, service.address(), Optional.of(node))) {
        await().atMost(TIMEOUT).until(() -> isRegistered(agent));
        assertThat(etcd.asRoot("get", "--prefix", "prod/")).contains(service.address());
      }
    }
  }
}
