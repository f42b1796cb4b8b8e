package dev.waymark.tools.agent;

import dev.waymark.telemetry.Metrics;
import java.util.List;
import java.util.function.LongSupplier;

/** The metrics of an agent. Stateless. */
final class AgentMetrics {
  private static final String SERVICE = "service";
  private static final String ADDRESS = "address";

  private AgentMetrics() {}

  static void register(
      Metrics metrics,
      List<MindedService> services,
      List<Registrar> registrars,
      AgentEvents events) {
    services.forEach(service -> ofService(metrics, service));
    registrars.forEach(registrar -> ofRegistry(metrics, registrar, events));
  }

  private static void ofService(Metrics metrics, MindedService service) {
    String name = service.config().service();
    String address = service.config().address();
    metrics.gauge(
        "waymark_agent_service_healthy",
        "1 while the service is healthy, so that it is registered, else 0.",
        () -> service.view().state() == HealthCount.State.HEALTHY ? 1L : 0L,
        SERVICE,
        name,
        ADDRESS,
        address);
    checks(metrics, service, "passed", service::passed);
    checks(metrics, service, "failed", service::failed);
  }

  private static void checks(
      Metrics metrics, MindedService service, String result, LongSupplier count) {
    metrics.counter(
        "waymark_agent_checks_total",
        "Checks of the service that have ended.",
        count,
        SERVICE,
        service.config().service(),
        ADDRESS,
        service.config().address(),
        "result",
        result);
  }

  private static void ofRegistry(Metrics metrics, Registrar registrar, AgentEvents events) {
    String registry = registrar.status().directory();
    metrics.gauge(
        "waymark_agent_registered",
        "1 while the registry confirms the registration, else 0.",
        () -> registrar.status().isRegistered() ? 1L : 0L,
        "registry",
        registry);
    metrics.gauge(
        "waymark_agent_instances_refused",
        "Instances that the registry does not take.",
        () -> registrar.status().refused().size(),
        "registry",
        registry);
    metrics.counter(
        "waymark_agent_registrations_lost_total",
        "Times the registration with the registry was lost.",
        () -> events.losses(registry),
        "registry",
        registry);
  }
}
