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
import dev.waymark.upstreams.control.Since;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Follows the instances that are registered in etcd below a prefix: its keys are listed, and
 * watched from there. While etcd cannot be asked, the upstreams stay; {@link EtcdService} decides
 * what is believed of what it says. Confined to the control thread.
 */
final class EtcdDiscovery implements DiscoverySource {
  /** Changes within this time are told together: a rollout makes many. */
  private static final long TELL_MS = 50;

  /** What the callbacks were last told. */
  private record Told(List<Endpoint> upstreams, Optional<UpstreamProblem> problem) {}

  private final ControlLoop control;
  private final EtcdService service;
  private final Consumer<List<Endpoint>> onFound;
  private final Consumer<UpstreamProblem> onFailed;
  private final EtcdClient client;
  private final EtcdWatch watch;

  /** Empty if etcd has failed since. */
  private Optional<Told> told = Optional.empty();

  private final Since<SourceReport.Standing> since = new Since<>();
  private @Nullable ScheduledFuture<?> nextTell;
  private @Nullable ScheduledFuture<?> endOfDoubt;

  /**
   * @param target the prefix, without the slash that follows it
   * @param pool has the user as whom to read
   * @param channels to etcd; closed by this
   * @param random for jitter
   * @param onFound receives all upstreams, after every change
   * @param onFailed receives why they cannot be found, what is wrong with one, or why there are
   *     none
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
    this.service = new EtcdService(target.service());
    this.onFound = onFound;
    this.onFailed = onFailed;
    this.client = new EtcdClient(control, random, channels, user(pool));
    this.watch = new EtcdWatch(client, control, random, target.service() + "/", new Listener());
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
  public Optional<SourceReport> report() {
    EtcdWatch.Contact contact = watch.contact();
    return Optional.of(
        new SourceReport(
            contact.server().map(server -> new SourceReport.Server(server, contact.sinceNs())),
            contact.heardNs(),
            contact.revision() == 0 ? "" : "revision " + contact.revision(),
            service.entries(since)));
  }

  @Override
  public void close() {
    watch.close();
    client.close();
    cancel(nextTell);
    cancel(endOfDoubt);
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  private void tellChanges() {
    nextTell = null;
    service.onCurrent(control.time().nowNs());
    tell();
  }

  private void tell() {
    since.update(service.standings(), control.time().nowNs());
    Told now = new Told(service.upstreams(), service.problem());
    if (!told.equals(Optional.of(now))) {
      told = Optional.of(now);
      onFound.accept(now.upstreams());
      now.problem().ifPresent(onFailed);
    }
  }

  private void onEndOfDoubt() {
    // If etcd is away again, its next word counts.
    if (told.isPresent()) {
      tellChanges();
    }
  }

  /** Hears what etcd has below the prefix. */
  private final class Listener implements PrefixListener {
    @Override
    public void onList() {
      service.onList();
    }

    @Override
    public void onPut(ByteString key, ByteString value) {
      service.onPut(key, value);
    }

    @Override
    public void onDelete(ByteString key) {
      service.onDelete(key);
    }

    @Override
    public void onListed(boolean isOtherStore) {
      service.onListed(isOtherStore, control.time().nowNs());
      if (isOtherStore) {
        cancel(endOfDoubt);
        endOfDoubt =
            control
                .eventLoop()
                .schedule(
                    EtcdDiscovery.this::onEndOfDoubt, EtcdService.DOUBT_NS, TimeUnit.NANOSECONDS);
      }
      tell();
    }

    @Override
    public void onCurrent() {
      if (nextTell == null) {
        nextTell =
            control
                .eventLoop()
                .schedule(EtcdDiscovery.this::tellChanges, TELL_MS, TimeUnit.MILLISECONDS);
      }
    }

    @Override
    public boolean isFull() {
      return service.isTooLarge();
    }

    @Override
    public void onProblem(UpstreamProblem problem) {
      told = Optional.empty();
      onFailed.accept(problem);
    }
  }
}
