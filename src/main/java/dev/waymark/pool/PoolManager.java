package dev.waymark.pool;

import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.core.PoolSnapshot;
import dev.waymark.core.Suspicion;
import dev.waymark.core.UpstreamView;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
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

  private record Suspect(String address, Suspicion why) {}

  private final ControlLoop control;
  private final HealthChannels channels;
  private final RandomGenerator random;
  private final Consumer<PoolSnapshot> sink;
  private final PoolEvents events;

  /** Read by any thread, written by the control thread. */
  private final Map<String, SocketAddress> socketAddresses = new ConcurrentHashMap<>();

  /** Those that wait for the control thread: each once, however often shards say it. */
  private final Set<Suspect> suspects = ConcurrentHashMap.newKeySet();

  /** By address, in the order of the snapshot. */
  private Map<String, Upstream> upstreams = new LinkedHashMap<>();

  private final PoolState state;
  private PoolConfig config;
  private List<UpstreamView> published = List.of();
  private @Nullable DnsDiscovery discovery;
  private @Nullable ScheduledFuture<?> timer;
  private @Nullable NameLookup systemLookup;
  private long version;
  private boolean isStarted;
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
    this.state = new PoolState(config, events);
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
    Suspect suspect = new Suspect(address, why);
    if (suspects.add(suspect)) {
      control.eventLoop().execute(() -> suspectOnLoop(suspect));
    }
  }

  /**
   * Another configuration of the same pool. Upstreams that stay keep their Watch and what is known
   * of their health; those of a name stay until another name is resolved.
   */
  public void reconfigure(PoolConfig next) {
    if (control.eventLoop().inEventLoop()) {
      reconfigureOnLoop(next);
    } else {
      control.eventLoop().execute(() -> reconfigureOnLoop(next));
    }
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
    isStarted = true;
    switch (config.target()) {
      case Target.Fixed(List<Endpoint> endpoints) -> replaceUpstreams(endpoints);
      case Target.Dns dns -> {
        replaceUpstreams(List.of());
        startDiscovery(dns);
      }
    }
  }

  private void suspectOnLoop(Suspect suspect) {
    suspects.remove(suspect);
    if (isClosed) {
      return;
    }
    if (discovery != null && isLost(suspect.why)) {
      discovery.askSoon();
    }
    if (state.onSuspicion(nowNs(), suspect.address, suspect.why)) {
      publishChanges();
    }
  }

  private void reconfigureOnLoop(PoolConfig next) {
    PoolConfig before = config;
    config = next;
    state.reconfigure(nowNs(), next);
    if (!isStarted || isClosed) {
      return;
    }
    if (!health(before).equals(health(next))) {
      upstreams.values().forEach(Upstream::watchAnew);
    }
    if (!discovery(before).equals(discovery(next))) {
      closeDiscovery();
      if (next.target() instanceof Target.Dns dns) {
        startDiscovery(dns);
      }
    }
    if (next.target() instanceof Target.Fixed(List<Endpoint> endpoints)) {
      replaceUpstreams(endpoints);
    } else {
      publishChanges();
    }
  }

  /** What a Watch is made of. */
  private static List<Object> health(PoolConfig config) {
    return List.of(config.healthService(), config.healthRetryMin(), config.healthRetryMax());
  }

  /** What discovery is made of; fixed lists have none. */
  private static List<Object> discovery(PoolConfig config) {
    return config.target() instanceof Target.Dns dns
        ? List.of(dns, config.dnsTtlMin(), config.dnsTtlMax())
        : List.of();
  }

  private void closeDiscovery() {
    if (discovery != null) {
      discovery.close();
      discovery = null;
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
    if (!state.endpoints().equals(endpoints)) {
      replaceUpstreams(endpoints);
    }
  }

  private void replaceUpstreams(List<Endpoint> endpoints) {
    Map<String, Upstream> before = upstreams;
    upstreams = new LinkedHashMap<>();
    for (Endpoint endpoint : endpoints) {
      String address = endpoint.address();
      Upstream kept = before.remove(address);
      upstreams.put(address, kept != null ? kept : new Upstream(address));
    }
    before.values().forEach(Upstream::close);
    state.onUpstreams(nowNs(), endpoints);
    List<Upstream> fresh = upstreams.values().stream().filter(u -> !u.isStarted).toList();
    fresh.forEach(Upstream::prepare);
    if (version == 0) {
      publish(state.views(nowNs()));
    }
    publishChanges();
    fresh.forEach(Upstream::start);
  }

  /**
   * After every input: tells the shards what is another now, and comes back when time alone does.
   */
  private void publishChanges() {
    long nowNs = nowNs();
    List<UpstreamView> views = state.views(nowNs);
    if (!views.equals(published)) {
      publish(views);
    }
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
    OptionalLong deadlineNs = state.nextDeadlineNs(nowNs);
    if (deadlineNs.isPresent()) {
      long waitNs = Math.max(0, deadlineNs.getAsLong() - nowNs);
      timer = control.eventLoop().schedule(this::onDeadline, waitNs, TimeUnit.NANOSECONDS);
    }
  }

  private void onDeadline() {
    if (!isClosed) {
      state.onDeadline(nowNs());
      publishChanges();
    }
  }

  private void publish(List<UpstreamView> views) {
    published = views;
    version++;
    sink.accept(new PoolSnapshot(config.name(), version, views));
  }

  private long nowNs() {
    return control.eventLoop().ticker().nanoTime();
  }

  private void closeOnLoop() {
    if (isClosed) {
      return;
    }
    isClosed = true;
    closeDiscovery();
    if (timer != null) {
      timer.cancel(false);
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
    private final String name;
    private final UpstreamAddress address;
    private HealthWatch watch;
    private boolean isStarted;

    Upstream(String name) {
      this.name = name;
      this.address = UpstreamAddress.parse(name);
      this.watch = newWatch();
    }

    private HealthWatch newWatch() {
      var backoff = new Backoff(config.healthRetryMin(), config.healthRetryMax(), random);
      return new HealthWatch(
          control.eventLoop(), channels, config.healthService(), this, backoff, this);
    }

    /** What was known of its health holds until the new Watch has an answer. */
    void watchAnew() {
      watch.close();
      watch = newWatch();
      watch.start();
    }

    /** Before the snapshot that shows it: whoever reads it there can dial it. */
    void prepare() {
      isStarted = true;
      if (address instanceof UpstreamAddress.Literal(SocketAddress literal)) {
        socketAddresses.put(name, literal);
      }
      events.onUpstreamFound(config.name(), name);
    }

    void start() {
      watch.start();
    }

    void close() {
      watch.close();
      socketAddresses.remove(name);
      events.onUpstreamGone(config.name(), name);
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
      socketAddresses.put(name, found);
      onFound.accept(found);
    }

    @Override
    public void onHealth(UpstreamHealth now) {
      state.onHealth(nowNs(), name, now);
      publishChanges();
    }

    @Override
    public void onBroken(String reason) {
      events.onHealthWatchBroken(config.name(), name, reason);
    }
  }
}
