package dev.waymark.cli;

import dev.waymark.config.AgentService;
import dev.waymark.config.AgentServices;
import dev.waymark.config.ConfigException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * What an agent minds: one service, described by flags, or those of a file. The values are checked
 * as those of the file are.
 */
final class AgentServiceFlags {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "A YAML file with a list of services, in place of the flags up to --load: keys with their"
              + " names, and labels.")
  private @Nullable Path file;

  @Option(
      names = "--service",
      paramLabel = "NAME",
      description = "The name under which the service is registered.")
  private @Nullable String service;

  @Option(
      names = "--address",
      paramLabel = "ADDR",
      description = "Where it serves, as others reach it: HOST:PORT or unix:/PATH.")
  private @Nullable String address;

  @Option(
      names = "--check",
      paramLabel = "CHECK",
      description =
          "How it is tested: grpc or grpc:SERVICE (grpc.health.v1), tcp (a connect), http:/PATH or a"
              + " URL (status 200 to 399), command:COMMAND (exit code 0), or none.")
  private @Nullable String check;

  @Option(
      names = "--check-interval",
      paramLabel = "DURATION",
      description = "How often it is tested (default: 2s).")
  private @Nullable String checkInterval;

  @Option(
      names = "--check-timeout",
      paramLabel = "DURATION",
      description = "How long a test may take (default: 1s).")
  private @Nullable String checkTimeout;

  @Option(
      names = "--rise",
      paramLabel = "N",
      description =
          "Tests in a row that must pass before a service that failed is registered again (default:"
              + " 2).")
  private @Nullable String rise;

  @Option(
      names = "--fall",
      paramLabel = "N",
      description =
          "Tests in a row that must fail before it is de-registered (default: 3). A health service"
              + " that says NOT_SERVING is believed at once.")
  private @Nullable String fall;

  @Option(
      names = "--weight",
      paramLabel = "N",
      description = "Its share of new work, 1 to 1000 (default: 1).")
  private @Nullable String weight;

  @Option(
      names = "--priority",
      paramLabel = "N",
      description =
          "0 to 100: it gets work only while no instance with a lower number serves (default: 0).")
  private @Nullable String priority;

  @Option(
      names = "--zone",
      paramLabel = "NAME",
      description = "Where it is: the same as --label zone=NAME.")
  private @Nullable String zone;

  @Option(
      names = "--label",
      paramLabel = "NAME=TEXT",
      description = "Anything worth knowing about it. May be repeated.")
  private List<String> labels = List.of();

  @Option(
      names = "--load",
      paramLabel = "SOURCE",
      description =
          "Where its load comes from: none, or orca, its own reports (OpenRcaService) (default:"
              + " none).")
  private @Nullable String load;

  /**
   * Returns the services.
   *
   * @throws ConfigException with a line for each mistake
   */
  List<AgentService> services() {
    Map<String, String> flags = flags();
    if (file == null) {
      return List.of(AgentServices.ofFlags(flags));
    }
    if (!flags.isEmpty()) {
      throw refused(
          flags.keySet().iterator().next().split(" ", 2)[0]
              + " and --config exclude each other; describe the service in the file");
    }
    return AgentServices.read(file);
  }

  /** What was given, by flag. */
  private Map<String, String> flags() {
    Map<String, String> flags = new LinkedHashMap<>();
    put(flags, "--service", service);
    put(flags, "--address", address);
    put(flags, "--check", check);
    put(flags, "--check-interval", checkInterval);
    put(flags, "--check-timeout", checkTimeout);
    put(flags, "--rise", rise);
    put(flags, "--fall", fall);
    put(flags, "--weight", weight);
    put(flags, "--priority", priority);
    put(flags, "--zone", zone);
    put(flags, "--load", load);
    for (String label : labels) {
      int equals = label.indexOf('=');
      if (equals < 1) {
        throw refused("--label: " + label + " (expected: NAME=TEXT, such as rack=r7)");
      }
      flags.put("--label " + label.substring(0, equals), label.substring(equals + 1));
    }
    return flags;
  }

  private static void put(Map<String, String> flags, String flag, @Nullable String value) {
    if (value != null) {
      flags.put(flag, value);
    }
  }

  private ParameterException refused(String message) {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
