package dev.waymark.tools.agent;

import dev.waymark.config.AgentService;
import dev.waymark.registry.LoadReport;
import dev.waymark.upstream.registry.InstanceKey;
import dev.waymark.upstream.registry.RegistrationStatus;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the admin port shows of services. Stateless. */
final class ServiceViews {
  /**
   * An entry of /services.
   *
   * @param load null if it is not known
   */
  record ServiceView(
      String service,
      String address,
      String check,
      String state,
      String since,
      String reason,
      long passed,
      long failed,
      @Nullable LoadReport load,
      String loadProblem,
      List<RegistrationView> registrations) {}

  /**
   * Where a service is registered, or why not.
   *
   * @param state {@code registered}, {@code refused}, {@code waiting} for the registry, or {@code
   *     off} because the service is not healthy
   */
  record RegistrationView(String registry, String state, String since, String reason) {}

  private ServiceViews() {}

  static List<ServiceView> of(Agent agent) {
    List<RegistrationStatus> registries =
        agent.registrars().stream().map(Registrar::status).toList();
    return agent.services().stream().map(each -> of(each, registries)).toList();
  }

  private static ServiceView of(MindedService service, List<RegistrationStatus> registries) {
    AgentService config = service.config();
    MindedService.View view = service.view();
    return new ServiceView(
        config.service(),
        config.address(),
        config.check().text(),
        view.state().label(),
        view.since().toString(),
        view.reason(),
        service.passed(),
        service.failed(),
        view.load().equals(LoadReport.UNKNOWN) ? null : view.load(),
        view.loadProblem(),
        registries.stream().map(each -> registration(config, view, each)).toList());
  }

  private static RegistrationView registration(
      AgentService config, MindedService.View view, RegistrationStatus registry) {
    String refused = registry.refused().get(new InstanceKey(config.service(), config.address()));
    Instant later = view.since().isAfter(registry.since()) ? view.since() : registry.since();
    if (view.state() != HealthCount.State.HEALTHY) {
      return row(registry, "off", view.since(), "the service is " + view.state().label());
    }
    if (!registry.isRegistered()) {
      return row(registry, "waiting", later, registry.problem());
    }
    return refused == null
        ? row(registry, "registered", later, "")
        : row(registry, "refused", later, refused);
  }

  private static RegistrationView row(
      RegistrationStatus registry, String state, Instant since, String reason) {
    return new RegistrationView(registry.directory(), state, since.toString(), reason);
  }

  /** Why a registry has not confirmed the registration. */
  static String registry(RegistrationStatus status) {
    return status.directory()
        + ": "
        + (status.problem().isEmpty() ? "the first attempt is under way" : status.problem());
  }
}
