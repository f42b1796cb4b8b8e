package dev.waymark.tools.agent;

import dev.waymark.config.AgentService;
import dev.waymark.config.ServiceCheck;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.DialAddresses;
import dev.waymark.upstreams.names.ResolverFiles;
import java.net.http.HttpClient;
import java.util.random.RandomGenerator;

/** What the tests of all services share, and how each is made. Confined to the agent's loop. */
final class Probes {
  private static final DialAddresses.Names NAMES = new DialAddresses.Names("", false);

  private final ControlLoop control;
  private final ResolverFiles files;
  private final RandomGenerator random;
  private final HttpClient http;
  private final LoopExecutor loop;

  /**
   * @param random for jitter
   * @param http follows no redirections
   */
  Probes(ControlLoop control, ResolverFiles files, RandomGenerator random, HttpClient http) {
    this.control = control;
    this.files = files;
    this.random = random;
    this.http = http;
    this.loop = new LoopExecutor(control.eventLoop());
  }

  ControlLoop control() {
    return control;
  }

  RandomGenerator random() {
    return random;
  }

  /**
   * Creates the probe of a service.
   *
   * @param listener learns what a service tells by itself
   */
  Probe probe(AgentService service, GrpcProbe.Listener listener) {
    return switch (service.check()) {
      case ServiceCheck.Grpc(String asked) ->
          new GrpcProbe(control, channels(service), asked, listener);
      case ServiceCheck.Tcp _ ->
          new TcpProbe(control, service.address(), (int) service.timeout().toMillis(), addresses());
      case ServiceCheck.Http check -> new HttpProbe(http, check.at(service.address()), loop);
      case ServiceCheck.Command(String line) -> new CommandProbe(line, loop);
      case ServiceCheck.None _ -> new NoProbe();
    };
  }

  /** Channels to a service, to be closed by the receiver. */
  ServiceChannels channels(AgentService service) {
    return new ServiceChannels(control, service.address(), addresses());
  }

  private DialAddresses addresses() {
    return new DialAddresses(control, files, () -> NAMES, () -> {});
  }
}
