package dev.waymark.tools.agent;

import dev.waymark.config.AgentService;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.upstream.registry.RegistrationListener;
import dev.waymark.upstream.registry.RegistrationStatus;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Logs what happens to services and registrations, and counts it. Called on the agent's loop. */
final class AgentEvents {
  private final EventLog log;

  /** By registry; read by any thread. */
  private final Map<String, LongAdder> losses = new ConcurrentHashMap<>();

  /** What was logged last of each registry. */
  private final Map<String, RegistrationStatus> told = new HashMap<>();

  AgentEvents(EventLog log) {
    this.log = log;
  }

  void onState(MindedService service) {
    AgentService config = service.config();
    if (service.isHealthy()) {
      log.write(Event.SERVICE_HEALTHY, "service", config.service(), "address", config.address());
    } else {
      log.write(
          Event.SERVICE_UNHEALTHY,
          "service",
          config.service(),
          "address",
          config.address(),
          "cause",
          service.view().reason());
    }
  }

  /** Returns what learns of the registration with this registry. */
  RegistrationListener ofRegistry(String registry) {
    losses.put(registry, new LongAdder());
    return status -> onStatus(registry, status);
  }

  private void onStatus(String registry, RegistrationStatus status) {
    RegistrationStatus before = told.put(registry, status);
    boolean wasRegistered = before != null && before.isRegistered();
    if (status.isRegistered() && !wasRegistered) {
      log.write(Event.REGISTERED, "registry", registry);
    } else if (!status.isRegistered() && !status.problem().isEmpty()) {
      if (wasRegistered) {
        losses.computeIfAbsent(registry, _ -> new LongAdder()).increment();
      }
      log.writeFor(
          Event.REGISTRATION_FAILED, registry, "registry", registry, "cause", status.problem());
    }
    status
        .refused()
        .forEach((key, reason) -> {
          if (before == null || !reason.equals(before.refused().get(key))) {
            log.write(
                Event.INSTANCE_REFUSED,
                "registry",
                registry,
                "service",
                key.service(),
                "address",
                key.address(),
                "reason",
                reason);
          }
        });
  }

  /** How often the registration with this registry was lost. Any thread. */
  long losses(String registry) {
    LongAdder count = losses.get(registry);
    return count == null ? 0 : count.sum();
  }
}
