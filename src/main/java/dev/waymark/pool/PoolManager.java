package dev.waymark.pool;

import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.core.PoolSnapshot;
import dev.waymark.core.Suspicion;
import dev.waymark.core.UpstreamView;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One pool: finds its upstreams, watches their health and gives out a snapshot whenever anything
 * changed.
 *
 * <p>Works on the control thread; the public methods may be called from any thread, and all
 * callbacks come on the control thread.
 */
public final class PoolManager implements AutoCloseable {
  private static final int DNS_WEIGHT = 1;

  private final PoolConfig config;
  private final ControlLoop control;
  private final HealthChannels channels;
  private final RandomGenerator random;
  private final Consumer<PoolSnapshot> sink;
  private final PoolEvents events;

  /** Read by any thread, written by the control thread. */
  private final Map<String, SocketAddress> socketAddresses = new ConcurrentHashMap<>();

  /** By address, in the order of the snapshot. */
  private Map<String, Upstream> upstreams = new LinkedHashMap<>();

  private @Nullable DnsDiscovery discovery;
  private @Nullable NameLookup systemLookup;
  private long version;
  private boolean isClosed;

  /**
   * @param random for jitter; used on the control thread only
   * @param sink gets every snapshot; must not block
   */
  public PoolManager(
      PoolConfig config,
      ControlLoop control,
      HealthChannels channels,
      RandomGenerator random,
      Consumer<PoolSnapshot> sink,
      PoolEvents events) {
    this.config = config;
    this.control = control;
    this.channels = channels;
    this.random = random;
    this.sink = sink;
    this.events = events;
  }

  // --- inputs ---

  /**
   * Starts to find and to watch; the first snapshot comes at once, with what is known without
   * asking anybody. Once only.
   */
  public void start() {
    control.eventLoop().execute(this::startOnLoop);
  }

  /**
   * A shard holds something against this upstream. When it is lost, the name is asked again at
   * once, at most once a second.
   */
  public void onUpstreamSuspect(String address, Suspicion why) {
    control
        .eventLoop()
        .execute(() -> {
          if (discovery != null && !isClosed && isLost(why)) {
            discovery.askSoon();
          }
        });
  }

  private static boolean isLost(Suspicion why) {
    return why == Suspicion.LANE_BROKEN || why == Suspicion.LANE_REFUSED;
  }

  /** Ends all watching; no snapshot comes afterwards. The control thread goes on. */
  @Override
  public void close() {
    control.eventLoop().execute(this::closeOnLoop);
  }

  // --- outputs ---

  /**
   * Where to dial this upstream; empty as long as its name is not resolved, and when it is gone.
   * Thread-safe.
   *
   * @param address as in {@link UpstreamView#address()}
   * @return {@link InetSocketAddress} or {@link java.net.UnixDomainSocketAddress} (see {@link
   *     UpstreamAddress#forChannelType})
   */
  public Optional<SocketAddress> socketAddress(String address) {
    return Optional.ofNullable(socketAddresses.get(address));
  }

  // --- transitions ---

  private void startOnLoop() {
    if (isClosed) {
      return;
    }
    switch (config.target()) {
      case Target.Fixed(List<Endpoint> endpoints) -> replaceUpstreams(endpoints);
      case Target.Dns dns -> {
        replaceUpstreams(List.of());
        startDiscovery(dns);
      }
    }
  }

  private void startDiscovery(Target.Dns dns) {
    var backoff = new Backoff(config.dnsTtlMin(), config.dnsTtlMax(), random);
    try {
      discovery =
          new DnsDiscovery(
              dns,
              control,
              backoff,
              found -> onFound(dns.port(), found),
              reason -> events.onDiscoveryFailed(config.name(), dns.host(), reason));
    } catch (IllegalArgumentException badServer) {
      events.onDiscoveryFailed(config.name(), dns.host(), String.valueOf(badServer.getMessage()));
      return;
    }
    discovery.start();
  }

  private void onFound(int port, List<InetAddress> found) {
    var endpoints =
        found.stream()
            .map(ip -> new Endpoint(UpstreamAddress.format(ip, port), DNS_WEIGHT, Map.of()))
            .toList();
    if (!List.copyOf(upstreams.keySet())
        .equals(endpoints.stream().map(Endpoint::address).toList())) {
      replaceUpstreams(endpoints);
    }
  }

  private void replaceUpstreams(List<Endpoint> endpoints) {
    Map<String, Upstream> before = upstreams;
    upstreams = new LinkedHashMap<>();
    for (Endpoint endpoint : endpoints) {
      Upstream kept = before.remove(endpoint.address());
      upstreams.put(endpoint.address(), kept != null ? kept : new Upstream(endpoint));
    }
    before.values().forEach(Upstream::close);
    List<Upstream> fresh = upstreams.values().stream().filter(u -> !u.isStarted).toList();
    fresh.forEach(Upstream::prepare);
    publish();
    fresh.forEach(Upstream::start);
  }

  private void publish() {
    version++;
    sink.accept(
        new PoolSnapshot(
            config.name(), version, upstreams.values().stream().map(Upstream::view).toList()));
  }

  private void closeOnLoop() {
    if (isClosed) {
      return;
    }
    isClosed = true;
    if (discovery != null) {
      discovery.close();
    }
    upstreams.values().forEach(upstream -> upstream.watch.close());
    if (systemLookup != null) {
      systemLookup.close();
    }
  }

  private NameLookup systemLookup() {
    if (systemLookup == null) {
      systemLookup = NameLookup.ofSystem(control);
    }
    return systemLookup;
  }

  /** An upstream and its Watch. */
  private final class Upstream implements HealthWatch.Listener, HealthWatch.AddressFinder {
    private final Endpoint endpoint;
    private final UpstreamAddress address;
    private final HealthWatch watch;
    private UpstreamHealth health = UpstreamHealth.UNKNOWN;
    private boolean isStarted;

    Upstream(Endpoint endpoint) {
      this.endpoint = endpoint;
      this.address = UpstreamAddress.parse(endpoint.address());
      var backoff = new Backoff(config.healthRetryMin(), config.healthRetryMax(), random);
      this.watch =
          new HealthWatch(
              control.eventLoop(), channels, config.healthService(), this, backoff, this);
    }

    UpstreamView view() {
      return new UpstreamView(
          endpoint.address(),
          health.isServing(),
          health.name(),
          endpoint.weight(),
          endpoint.labels());
    }

    /** Before the snapshot that shows it: whoever reads it there can dial it. */
    void prepare() {
      isStarted = true;
      if (address instanceof UpstreamAddress.Literal(SocketAddress literal)) {
        socketAddresses.put(endpoint.address(), literal);
      }
      events.onUpstreamFound(config.name(), endpoint.address());
    }

    void start() {
      watch.start();
    }

    void close() {
      watch.close();
      socketAddresses.remove(endpoint.address());
      events.onUpstreamGone(config.name(), endpoint.address());
    }

    @Override
    public void find(Consumer<SocketAddress> onFound, Consumer<String> onFailed) {
      switch (address) {
        case UpstreamAddress.Literal(SocketAddress literal) -> onFound.accept(literal);
        case UpstreamAddress.Name(String host, int port) ->
            systemLookup().ask(host, answer -> onAnswer(answer, host, port, onFound, onFailed));
      }
    }

    private void onAnswer(
        NameLookup.Answer answer,
        String host,
        int port,
        Consumer<SocketAddress> onFound,
        Consumer<String> onFailed) {
      if (isClosed) {
        return;
      }
      Optional<InetAddress> first =
          Stream.concat(answer.ipv4().addresses().stream(), answer.ipv6().addresses().stream())
              .findFirst();
      if (first.isEmpty()) {
        events.onDiscoveryFailed(config.name(), host, answer.reason());
        onFailed.accept("the name is not resolved: " + answer.reason());
        return;
      }
      var found = new InetSocketAddress(first.get(), port);
      socketAddresses.put(endpoint.address(), found);
      onFound.accept(found);
    }

    @Override
    public void onHealth(UpstreamHealth now) {
      UpstreamHealth from = health;
      if (now != from) {
        health = now;
        events.onHealthChanged(config.name(), endpoint.address(), from.name(), now.name());
        publish();
      }
    }

    @Override
    public void onBroken(String reason) {
      events.onHealthWatchBroken(config.name(), endpoint.address(), reason);
    }
  }
}
