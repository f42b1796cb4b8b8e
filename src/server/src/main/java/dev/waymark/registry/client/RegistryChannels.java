package dev.waymark.registry.client;

import dev.waymark.config.ClientTlsConfig;
import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.net.tls.OwnCertificate;
import dev.waymark.net.tls.TlsFileException;
import dev.waymark.net.tls.UpstreamTls;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.DialAddresses;
import dev.waymark.upstreams.names.ResolverFiles;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Opens channels to the servers of a registry, in turn: each call of {@link #open} takes the one
 * after the last. Names are resolved, and the files for TLS read, for each channel. Confined to the
 * control thread.
 */
public final class RegistryChannels {
  private static final long NEVER_IDLE_DAYS = 365;
  private static final Duration DEAD_AFTER = Duration.ofSeconds(10);

  private final ControlLoop control;
  private final List<String> servers;
  private final Optional<ClientTlsConfig> tls;
  private final DialAddresses addresses;
  private final Dialler dialler;
  private int next;
  private boolean isClosed;

  /**
   * @param servers host:port, at least one
   * @param tls empty: plain text
   */
  public RegistryChannels(
      ControlLoop control,
      ResolverFiles files,
      List<String> servers,
      Optional<ClientTlsConfig> tls) {
    this.control = control;
    this.servers = List.copyOf(servers);
    this.tls = tls;
    this.addresses =
        new DialAddresses(control, files, () -> new DialAddresses.Names("", false), () -> {});
    this.servers.forEach(addresses::add);
    this.dialler =
        new Dialler(
            control.eventLoop(), control.socketChannelType(), control.domainChannelType(), null);
  }

  /** How many servers there are. */
  public int serverCount() {
    return servers.size();
  }

  /**
   * Opens a channel to the next server, not yet connected. Calls back once, on the control thread,
   * perhaps before this returns; not at all after {@link #close}. The receiver closes the channel.
   */
  public void open(Consumer<RegistryChannel> onOpen, Consumer<UpstreamProblem> onFailed) {
    String server = servers.get(next);
    next = (next + 1) % servers.size();
    addresses.find(
        server,
        address -> openTo(server, address, onOpen, onFailed),
        problem ->
            onFailed.accept(new UpstreamProblem(problem.kind(), server + ": " + problem.text())));
  }

  /** Begins with the first server again. */
  public void rewind() {
    next = 0;
  }

  private void openTo(
      String server,
      SocketAddress address,
      Consumer<RegistryChannel> onOpen,
      Consumer<UpstreamProblem> onFailed) {
    if (tls.isEmpty()) {
      onOpen.accept(channel(server, address, null));
      return;
    }
    // A file system may block.
    Thread.ofVirtual()
        .start(() -> {
          try {
            UpstreamTls opened = UpstreamTls.open(tls.get(), Instant::now, new NoEvents());
            control
                .eventLoop()
                .execute(() -> {
                  if (isClosed) {
                    opened.close();
                  } else {
                    onOpen.accept(channel(server, address, opened));
                  }
                });
          } catch (TlsFileException unusable) {
            var problem = new UpstreamProblem(Kind.REGISTRY_FAILED, unusable.problem());
            control
                .eventLoop()
                .execute(() -> {
                  if (!isClosed) {
                    onFailed.accept(problem);
                  }
                });
          }
        });
  }

  private RegistryChannel channel(
      String server, SocketAddress address, @Nullable UpstreamTls itsTls) {
    Dial dial = new Dial();
    var builder =
        dialler.channel(server, address, itsTls, dial).idleTimeout(NEVER_IDLE_DAYS, TimeUnit.DAYS);
    if (address instanceof InetSocketAddress) {
      // A registry that only watches may be silent for long; a dead one is noticed by the kernel.
      dialler.detectDeadPeer(builder, DEAD_AFTER);
    }
    return new RegistryChannel(server, builder.build(), dial, itsTls);
  }

  /** Ends: no callback follows. Channels are those of their receivers. */
  public void close() {
    isClosed = true;
    addresses.close();
  }

  /** The files are read for each channel, not followed. */
  private static final class NoEvents implements UpstreamTls.Events {
    @Override
    public void onUpstreamFilesLoaded(String pool, List<OwnCertificate> certificates) {}

    @Override
    public void onUpstreamFilesRefused(String pool, String problem) {}
  }
}
