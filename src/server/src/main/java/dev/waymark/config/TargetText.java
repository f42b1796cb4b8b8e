package dev.waymark.config;

import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.PoolConfig.Target;
import java.util.Locale;

/** Targets for people: their text, and the services that they name. Stateless. */
public final class TargetText {
  private TargetText() {}

  /** The target as it is written in a configuration; a list of upstreams only with its length. */
  public static String of(Target target) {
    return switch (target) {
      case Target.Fixed fixed -> "a list of " + fixed.upstreams().size();
      case Target.Dns dns -> "dns://" + dns.server() + "/" + dns.host() + ":" + dns.port();
      case Target.Srv srv -> "srv://" + srv.server() + "/" + srv.name();
      case Target.ListFile file -> "file://" + file.file();
      case Target.Kubernetes k8s -> "k8s://" + k8s.server() + "/" + k8s.name() + ":" + k8s.port();
      case Target.Registered registered ->
          scheme(registered.registry())
              + "://"
              + String.join(",", registered.servers())
              + "/"
              + registered.service();
    };
  }

  private static String scheme(Registry registry) {
    return registry.name().toLowerCase(Locale.ROOT);
  }

  /**
   * Whether the target names this service: in full, or as people do, such as {@code echo} for the
   * prefix {@code services/echo}, the SRV name {@code _echo._tcp.example.com} and the Kubernetes
   * service {@code echo.shop}.
   */
  public static boolean isOf(Target target, String service) {
    return switch (target) {
      case Target.Fixed _ -> false;
      case Target.Dns dns -> dns.host().equalsIgnoreCase(service);
      case Target.Srv srv ->
          srv.name().equalsIgnoreCase(service)
              || srv.name().split("\\.", 2)[0].equalsIgnoreCase("_" + service);
      case Target.ListFile file -> file.file().toString().equals(service);
      case Target.Kubernetes k8s -> k8s.name().equals(service) || k8s.service().equals(service);
      case Target.Registered registered ->
          registered.service().equals(service) || registered.service().endsWith("/" + service);
    };
  }
}
