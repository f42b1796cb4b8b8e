package dev.waymark.tools.agent;

import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.RegistryAddress;
import dev.waymark.etcd.EtcdClient;
import dev.waymark.etcd.EtcdPublisher;
import dev.waymark.registry.Instance;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.upstream.registry.Registration;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.ResolverFiles;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.http.HttpClient;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * A running agent: tests services, and keeps those that are healthy registered. One event loop runs
 * all of it. Thread-safe.
 */
public final class Agent implements AutoCloseable {
  /** How long the registries may take to confirm the end, and a little more. */
  private static final long LEAVE_MS = 1_200;

  private static final long STOP_TIMEOUT_MS = 1_000;

  /** The first registration waits so long for the first tests. */
  private static final long FIRST_TESTS_MS = 2_000;

  private final AgentOptions options;
  private final EventLoopGroup loops;
  private final EventLoop loop;
  private final HttpClient http;
  private final AgentEvents events;
  private final List<MindedService> services = new ArrayList<>();
  private final List<Registrar> registrars = new ArrayList<>();
  private final CompletableFuture<Void> checked = new CompletableFuture<>();

  private final AtomicBoolean isClosed = new AtomicBoolean();

  /** Only on the loop. */
  private boolean isRegistering;

  private Agent(
      AgentOptions options,
      EventLog log,
      LongSupplier monotonicNs,
      InstantSource wallClock,
      RandomGenerator random) {
    this.options = options;
    this.events = new AgentEvents(log);
    loops =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("agent", true), NioIoHandler.newFactory());
    loop = loops.next();
    http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
    AgentTime time = new AgentTime(monotonicNs);
    ControlLoop control = ControlLoop.nio(loop, time);
    ResolverFiles files = ResolverFiles.ofSystem();
    Probes probes = new Probes(control, files, random, http);
    options
        .services()
        .forEach(each -> services.add(new MindedService(each, probes, wallClock, new OfService())));
    options
        .registries()
        .forEach(each -> registrars.add(registrar(each, control, files, wallClock, random)));
    loop.execute(() -> {
      time.start(loop);
      services.forEach(MindedService::start);
      var _ = loop.schedule(this::startRegistering, FIRST_TESTS_MS, TimeUnit.MILLISECONDS);
    });
  }

  /**
   * The first request names all that is healthy: what it does not name, and another process of this
   * name has registered, is de-registered by it.
   */
  private void startRegistering() {
    if (!isRegistering) {
      isRegistering = true;
      List<Instance> healthy =
          services.stream().filter(MindedService::isHealthy).map(MindedService::instance).toList();
      registrars.forEach(each -> each.start(healthy));
    }
  }

  /**
   * Starts an agent. Returns at once; registries that are away are tried for ever.
   *
   * @param monotonicNs the clock
   * @param wallClock for people
   * @param random for jitter; used on the agent's loop only
   */
  public static Agent start(
      AgentOptions options,
      EventLog log,
      LongSupplier monotonicNs,
      InstantSource wallClock,
      RandomGenerator random) {
    return new Agent(options, log, monotonicNs, wallClock, random);
  }

  private Registrar registrar(
      RegistryAddress address,
      ControlLoop control,
      ResolverFiles files,
      InstantSource wallClock,
      RandomGenerator random) {
    String name = address.text();
    RegistryChannels channels =
        new RegistryChannels(control, files, address.servers(), options.tls());
    if (address.registry() == Registry.ETCD) {
      EtcdClient client = new EtcdClient(control, random, channels, options.etcdUser());
      return new EtcdRegistrar(
          name,
          address.prefix(),
          loop,
          wallClock,
          client,
          new EtcdPublisher(client, control, random, options.ttl()),
          events.ofRegistry(name));
    }
    return new DirectoryRegistrar(
        name,
        Registration.of(options.node())
            .ttl(options.ttl())
            .scheduler(loop)
            .listener(events.ofRegistry(name)),
        channels,
        options.tokenFile(),
        new LoopExecutor(loop),
        wallClock.instant());
  }

  /** What services tell. Called on the loop. */
  private final class OfService implements MindedService.Listener {
    @Override
    public void onState(MindedService service) {
      events.onState(service);
      if (isRegistering && service.isHealthy()) {
        onLoad(service);
      } else if (isRegistering) {
        registrars.forEach(each -> each.remove(service.instance().key()));
      }
      if (!checked.isDone() && services.stream().allMatch(Agent::isChecked)) {
        startRegistering();
        checked.complete(null);
      }
    }

    @Override
    public void onLoad(MindedService service) {
      if (isRegistering) {
        registrars.forEach(each -> each.put(service.instance()));
      }
    }
  }

  private static boolean isChecked(MindedService service) {
    return service.view().state() != HealthCount.State.UNCHECKED;
  }

  /**
   * Waits until every service was tested once.
   *
   * @return whether they were, within this time
   */
  public boolean awaitChecked(long timeoutMs) throws InterruptedException {
    try {
      checked.get(timeoutMs, TimeUnit.MILLISECONDS);
      return true;
    } catch (ExecutionException | TimeoutException late) {
      return false;
    }
  }

  /** How many services are healthy. */
  public long healthyCount() {
    return services.stream()
        .filter(each -> each.view().state() == HealthCount.State.HEALTHY)
        .count();
  }

  List<MindedService> services() {
    return services;
  }

  List<Registrar> registrars() {
    return registrars;
  }

  /** Registers the agent's metrics. */
  public void register(Metrics metrics) {
    AgentMetrics.register(metrics, services, registrars, events);
  }

  /** De-registers everything and ends. Takes about a second at most; may be called repeatedly. */
  @Override
  public void close() {
    if (isClosed.getAndSet(true)) {
      return;
    }
    try {
      CompletableFuture.supplyAsync(this::leave, loop)
          .thenCompose(left -> left)
          .get(LEAVE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException late) {
      // The TTL ends what was not confirmed.
    }
    http.shutdownNow();
    loops.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }

  private CompletableFuture<Void> leave() {
    // From now on, no test can start to register or put anything.
    isRegistering = true;
    services.forEach(MindedService::close);
    return CompletableFuture.allOf(
        registrars.stream().map(Registrar::leave).toArray(CompletableFuture<?>[]::new));
  }
}
