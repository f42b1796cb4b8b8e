package dev.waymark.etcd;

import com.google.protobuf.ByteString;
import dev.waymark.e2e.Etcd;
import dev.waymark.engine.base.LoopTime;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.ResolverFiles;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Clients and publishers of etcd on a control thread of their own, used from the test's thread. */
public final class EtcdFixture implements AutoCloseable {
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final ControlLoop control =
      ControlLoop.nio(
          loop,
          new LoopTime() {
            @Override
            public long nowNs() {
              return loop.ticker().nanoTime();
            }

            @Override
            public long standstillNs() {
              return 0;
            }
          });
  private final List<EtcdClient> clients = new ArrayList<>();

  /** Runs on the control thread and returns the result. */
  public <T> T onLoop(Supplier<T> what) {
    return CompletableFuture.supplyAsync(what, loop).orTimeout(10, TimeUnit.SECONDS).join();
  }

  EtcdClient client(Optional<EtcdUser> user, String... servers) {
    return onLoop(() -> {
      RegistryChannels channels =
          new RegistryChannels(
              control, ResolverFiles.ofSystem(), List.of(servers), Optional.empty());
      EtcdClient client = new EtcdClient(control, new SplittableRandom(1), channels, user);
      clients.add(client);
      return client;
    });
  }

  EtcdClient client(Etcd... members) {
    return client(Optional.empty(), Stream.of(members).map(Etcd::address).toArray(String[]::new));
  }

  /** Starts a publisher with a client of its own. */
  public Publisher publisher(int ttlS, Etcd... members) {
    return publisher(ttlS, client(members));
  }

  Publisher publisher(int ttlS, EtcdClient client) {
    return onLoop(() -> {
      EtcdPublisher publisher =
          new EtcdPublisher(client, control, new SplittableRandom(1), Duration.ofSeconds(ttlS));
      publisher.start();
      return new Publisher(this, client, publisher);
    });
  }

  EtcdWatch watch(EtcdClient client, String prefix, PrefixListener listener) {
    return onLoop(() -> {
      EtcdWatch watch = new EtcdWatch(client, control, new SplittableRandom(1), prefix, listener);
      watch.start();
      return watch;
    });
  }

  /** Ends all clients as if the process had died: leases are not revoked. */
  @Override
  public void close() {
    onLoop(() -> {
      clients.forEach(EtcdClient::close);
      return true;
    });
    group.shutdownGracefully(50, 5_000, TimeUnit.MILLISECONDS).syncUninterruptibly();
  }

  /** A publisher, used from the test's thread. */
  public record Publisher(EtcdFixture fixture, EtcdClient client, EtcdPublisher publisher) {
    public void put(String key, String value) {
      fixture.onLoop(() -> {
        publisher.put(key, ByteString.copyFromUtf8(value));
        return true;
      });
    }

    public void remove(String key) {
      fixture.onLoop(() -> {
        publisher.remove(key);
        return true;
      });
    }

    public EtcdPublisher.Progress progress() {
      return fixture.onLoop(publisher::progress);
    }

    /** Whether all keys are in etcd. */
    public boolean isComplete() {
      return progress().completeSinceNs().isPresent();
    }

    /** Ends it, and returns when that is done. */
    public void end() {
      CompletableFuture<Void> ended = new CompletableFuture<>();
      fixture.onLoop(() -> {
        publisher.close(() -> ended.complete(null));
        return true;
      });
      ended.orTimeout(10, TimeUnit.SECONDS).join();
    }

    /** Ends it like the death of its process. */
    public void die() {
      fixture.onLoop(() -> {
        client.close();
        return true;
      });
    }
  }
}
