package dev.waymark.upstreams.discovery;

import com.google.protobuf.ByteString;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.RegistryKeys;
import dev.waymark.config.TokenFile;
import dev.waymark.etcd.EtcdClient;
import dev.waymark.etcd.EtcdUser;
import dev.waymark.etcd.EtcdWatch;
import dev.waymark.etcd.PrefixListener;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.upstreams.control.ControlLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Follows the instances that are registered in etcd below a prefix: its keys are listed and watched
 * from there. Confined to the control thread.
 *
 * <p><b>What is believed.</b> While etcd cannot be asked, the upstreams stay. What it says is
 * believed at once, also that there are none: it answers lists only while most of its members agree,
 * and keeps data and leases over a restart. A lease cannot end while etcd is down or has no leader,
 * since its end goes through the log of all members; and whenever etcd gets a leader, each lease
 * has its whole TTL again, which gives its owner the time to come back. So instances do not vanish
 * because etcd was away. The exception is an etcd that has lost its data: it knows only those
 * that have come back already. The watch tells, and {@link #tell} passes it on.
 */
final class EtcdDiscovery implements DiscoverySource {
  /** Changes within this time are told together: a rollout makes many. */
  private static final long TELL_MS = 50;

  /** What the callbacks were last told. */
  private record Told(List<Endpoint> upstreams, Optional<UpstreamProblem> problem) {}

  private final ControlLoop control;
  private final String service;
  private final Consumer<List<Endpoint>> onFound;
  private final Consumer<UpstreamProblem> onFailed;
  private final EtcdClient client;
  private final EtcdWatch watch;

  private EtcdEndpoints endpoints;

  /** Those of the list that is being read; null if none is. */
  private @Nullable EtcdEndpoints listed;

  /** Empty if etcd has failed since. */
  private Optional<Told> told = Optional.empty();

  private @Nullable ScheduledFuture<?> nextTell;

  /**
   * @param target the prefix, without the slash that follows it
   * @param pool has the user as whom to read
   * @param channels to etcd; closed by this
   * @param random for jitter
   * @param onFound receives all upstreams, after every change
   * @param onFailed receives why they cannot be found, what is wrong with one, or why there are none
   */
  EtcdDiscovery(
      Target.Registered target,
      PoolConfig pool,
      ControlLoop control,
      RandomGenerator random,
      RegistryChannels channels,
      Consumer<List<Endpoint>> onFound,
      Consumer<UpstreamProblem> onFailed) {
    this.control = control;
    this.service = target.service();
    this.onFound = onFound;
    this.onFailed = onFailed;
    this.endpoints = new EtcdEndpoints(service);
    this.client = new EtcdClient(control, random, channels, user(pool));
    this.watch = new EtcdWatch(client, control, random, service + "/", new Keys());
  }

  private static Optional<EtcdUser> user(PoolConfig pool) {
    String name = pool.get(RegistryKeys.USERNAME);
    Optional<Path> password = pool.get(RegistryKeys.PASSWORD_FILE);
    return password
        .filter(_ -> !name.isEmpty())
        .map(file -> new EtcdUser(name, () -> TokenFile.password(file)));
  }

  @Override
  public void start() {
    watch.start();
  }

  @Override
  public void close() {
    watch.close();
    client.close();
    if (nextTell != null) {
      nextTell.cancel(false);
    }
  }

  private void tell(boolean isOtherStore) {
    if (nextTell != null) {
      nextTell.cancel(false);
      nextTell = null;
    }
    Told now = new Told(endpoints.upstreams(), endpoints.problem());
    if (!told.equals(Optional.of(now))) {
      told = Optional.of(now);
      onFound.accept(now.upstreams());
      now.problem().ifPresent(onFailed);
    }
  }

  /** What etcd has below the prefix. */
  private final class Keys implements PrefixListener {
    @Override
    public void onList() {
      listed = new EtcdEndpoints(service);
    }

    @Override
    public void onPut(ByteString key, ByteString value) {
      (listed == null ? endpoints : listed).put(key, value);
    }

    @Override
    public void onDelete(ByteString key) {
      endpoints.remove(key);
    }

    @Override
    public void onListed(boolean isOtherStore) {
      if (listed != null) {
        endpoints = listed;
        listed = null;
        tell(isOtherStore);
      }
    }

    @Override
    public void onChanged() {
      if (nextTell == null) {
        nextTell =
            control.eventLoop().schedule(() -> tell(false), TELL_MS, TimeUnit.MILLISECONDS);
      }
    }

    @Override
    public boolean isFull() {
      return (listed == null ? endpoints : listed).isTooLarge();
    }

    @Override
    public void onProblem(UpstreamProblem problem) {
      told = Optional.empty();
      onFailed.accept(problem);
    }
  }
}
