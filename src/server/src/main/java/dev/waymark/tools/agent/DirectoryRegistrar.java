package dev.waymark.tools.agent;

import dev.waymark.config.ConfigException;
import dev.waymark.config.TokenFile;
import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.LoadReport;
import dev.waymark.registry.client.RegistryChannel;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.upstream.registry.DirectoryDialler;
import dev.waymark.upstream.registry.DirectoryLink;
import dev.waymark.upstream.registry.InstanceLoad;
import dev.waymark.upstream.registry.Registration;
import dev.waymark.upstream.registry.RegistrationStatus;
import dev.waymark.upstream.registry.ServiceInstance;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Registers with one directory. */
final class DirectoryRegistrar implements Registrar {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Registration.Builder builder;
  private final RegistryChannels channels;
  private final Dialler dialler;
  private final RegistrationStatus initial;
  private volatile @Nullable Registration registration;

  /**
   * @param name of the directory, for people
   * @param builder with node, TTL, listener and the agent's loop as scheduler
   * @param channels to it; closed at the end
   * @param tokenFile with the bearer token for calls; read for each
   * @param now for people
   */
  DirectoryRegistrar(
      String name,
      Registration.Builder builder,
      RegistryChannels channels,
      Optional<Path> tokenFile,
      Executor loop,
      Instant now) {
    this.builder = builder;
    this.channels = channels;
    this.dialler = new Dialler(name, channels, tokenFile, loop);
    this.initial = new RegistrationStatus(name, false, now, "", Map.of());
  }

  @Override
  public void start(List<Instance> instances) {
    instances.forEach(each -> builder.with(instance(each)));
    registration = builder.start(dialler);
  }

  @Override
  public void put(Instance instance) {
    Registration current = registration;
    if (current != null) {
      current.put(instance(instance));
    }
  }

  private static ServiceInstance instance(Instance from) {
    return new ServiceInstance(
        from.service(),
        from.address(),
        from.weight(),
        from.priority(),
        from.labels(),
        health(from.health()),
        load(from.load()));
  }

  private static ServiceInstance.Health health(Instance.Health health) {
    return switch (health) {
      case HEALTHY -> ServiceInstance.Health.HEALTHY;
      case DRAINING -> ServiceInstance.Health.DRAINING;
      case UNHEALTHY -> ServiceInstance.Health.UNHEALTHY;
    };
  }

  private static InstanceLoad load(LoadReport load) {
    return new InstanceLoad(
        load.utilisation(),
        load.capacity(),
        load.inFlight(),
        load.memory(),
        load.requestsPerSecond(),
        load.errorsPerSecond());
  }

  @Override
  public void remove(InstanceKey key) {
    Registration current = registration;
    if (current != null) {
      current.remove(key.service(), key.address());
    }
  }

  @Override
  public RegistrationStatus status() {
    Registration current = registration;
    return current == null ? initial : current.status();
  }

  @Override
  public CompletableFuture<Void> leave() {
    Registration current = registration;
    return current == null
        ? CompletableFuture.completedFuture(null)
        : current.leave().whenComplete((_, _) -> channels.close());
  }

  /** Why there is no link; the message is all there is to know. */
  private static final class NoLinkException extends Exception {
    private static final long serialVersionUID = 1L;

    NoLinkException(String why) {
      super(why, null, false, false);
    }
  }

  private record Dialler(
      String name, RegistryChannels channels, Optional<Path> tokenFile, Executor loop)
      implements DirectoryDialler {
    @Override
    public CompletionStage<DirectoryLink> dial() {
      CompletableFuture<DirectoryLink> link = new CompletableFuture<>();
      if (tokenFile.isEmpty()) {
        open(link, new Metadata());
        return link;
      }
      // A file system may block.
      var _ = Thread.ofVirtual().name("token").start(() -> readToken(tokenFile.get(), link));
      return link;
    }

    private void readToken(Path file, CompletableFuture<DirectoryLink> link) {
      try {
        Metadata headers = new Metadata();
        headers.put(AUTHORIZATION, "Bearer " + TokenFile.read(file));
        loop.execute(() -> open(link, headers));
      } catch (ConfigException unusable) {
        link.completeExceptionally(new NoLinkException(String.valueOf(unusable.getMessage())));
      }
    }

    private void open(CompletableFuture<DirectoryLink> link, Metadata headers) {
      channels.open(
          channel -> link.complete(new Link(channel, headers)),
          problem -> link.completeExceptionally(new NoLinkException(problem.text())));
    }
  }

  private record Link(RegistryChannel server, Metadata headers) implements DirectoryLink {
    @Override
    public Channel channel() {
      return ClientInterceptors.intercept(
          server.channel(), MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    @Override
    public String problem(Status status) {
      return server.problem(status).text();
    }

    @Override
    public void close() {
      server.close();
    }
  }
}
