package dev.waymark.tools.agent;

import dev.waymark.etcd.EtcdClient;
import dev.waymark.etcd.EtcdPublisher;
import dev.waymark.etcd.EtcdPublisher.Progress;
import dev.waymark.etcd.NamingValue;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.upstream.registry.RegistrationListener;
import dev.waymark.upstream.registry.RegistrationStatus;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Registers with one etcd: {@code PREFIX/SERVICE/ADDRESS} has the value of etcd's Go package
 * naming/endpoints, under a lease with the agent's TTL.
 */
final class EtcdRegistrar implements Registrar {
  /** How often it is looked at how the registration stands. */
  private static final long LOOK_MS = 250;

  private final String name;
  private final String prefix;
  private final EventLoop loop;
  private final InstantSource wallClock;
  private final EtcdClient client;
  private final EtcdPublisher publisher;
  private final RegistrationListener listener;
  private volatile RegistrationStatus status;
  private @Nullable ScheduledFuture<?> look;

  /**
   * @param name of the registry, for people
   * @param prefix of all keys, without the slash that follows it
   * @param client closed at the end
   * @param publisher with this client
   */
  EtcdRegistrar(
      String name,
      String prefix,
      EventLoop loop,
      InstantSource wallClock,
      EtcdClient client,
      EtcdPublisher publisher,
      RegistrationListener listener) {
    this.name = name;
    this.prefix = prefix;
    this.loop = loop;
    this.wallClock = wallClock;
    this.client = client;
    this.publisher = publisher;
    this.listener = listener;
    this.status = new RegistrationStatus(name, false, wallClock.instant(), "", Map.of());
  }

  @Override
  public void start(List<Instance> instances) {
    publisher.start();
    instances.forEach(this::put);
    look = loop.scheduleWithFixedDelay(this::look, LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void put(Instance instance) {
    publisher.put(path(instance.key()), NamingValue.write(instance));
  }

  @Override
  public void remove(InstanceKey key) {
    publisher.remove(path(key));
  }

  private String path(InstanceKey key) {
    return prefix + "/" + key.service() + "/" + key.address();
  }

  private void look() {
    Progress progress = publisher.progress();
    boolean isRegistered = progress.completeSinceNs().isPresent();
    String problem = isRegistered ? "" : progress.problem().map(UpstreamProblem::text).orElse("");
    RegistrationStatus before = status;
    if (isRegistered != before.isRegistered() || !problem.equals(before.problem())) {
      Instant since = isRegistered == before.isRegistered() ? before.since() : wallClock.instant();
      status = new RegistrationStatus(name, isRegistered, since, problem, Map.of());
      listener.onStatus(status);
    }
  }

  @Override
  public RegistrationStatus status() {
    return status;
  }

  @Override
  public CompletableFuture<Void> leave() {
    if (look != null) {
      look.cancel(false);
    }
    CompletableFuture<Void> left = new CompletableFuture<>();
    publisher.close(() -> {
      client.close();
      left.complete(null);
    });
    return left;
  }
}
