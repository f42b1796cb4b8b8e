package dev.waymark.net.tls;

import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.TlsKeys.KeyPermissions;
import dev.waymark.files.FollowedFiles;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http2.Http2SecurityUtil;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The TLS between the bridge and the upstreams of one pool. It follows its files as {@link
 * ServerTls} does; when they have changed, the pool's lanes are to be replaced. Thread-safe; {@link
 * #check} and {@link #close} are called by one thread, which may block.
 */
public final class UpstreamTls implements TlsWatch.Followed {
  /** Receives what happens to the files. Called on the thread of {@link #check}. */
  public interface Events {
    /**
     * New files are in force.
     *
     * @param certificates the bridge's certificate; empty if it has none
     */
    void onUpstreamFilesLoaded(String pool, List<OwnCertificate> certificates);

    /** The files have changed, but cannot be used; the former ones stay in force. */
    void onUpstreamFilesRefused(String pool, String problem);
  }

  /** What handshakes use. */
  private record Loaded(SslContext context, Optional<Identity> identity) {}

  /** How long an upstream may take for its part of the handshake. */
  private static final long HANDSHAKE_TIMEOUT_MS = 5_000;

  /** The name of an upstream on a Unix socket. */
  private static final String LOCALHOST = "localhost";

  private final ClientTlsConfig config;
  private final Supplier<Instant> clock;
  private final Events events;
  private final FollowedFiles files;
  private volatile Loaded loaded;
  private volatile boolean isClosed;

  private UpstreamTls(
      ClientTlsConfig config, Supplier<Instant> clock, Events events, FollowedFiles files)
      throws TlsFileException {
    this.config = config;
    this.clock = clock;
    this.events = events;
    this.files = files;
    this.loaded = load(config, clock.get());
  }

  /**
   * Reads the files of a pool with TLS. Blocks.
   *
   * @param clock the wall clock
   * @throws TlsFileException if a file cannot be used
   */
  public static UpstreamTls open(ClientTlsConfig config, Supplier<Instant> clock, Events events)
      throws TlsFileException {
    List<Path> files = new ArrayList<>();
    config.ca().ifPresent(files::add);
    config
        .identity()
        .ifPresent(own -> {
          files.add(own.certificate());
          files.add(own.key());
        });
    return new UpstreamTls(config, clock, events, new FollowedFiles(files));
  }

  private static Loaded load(ClientTlsConfig config, Instant now) throws TlsFileException {
    SslContextBuilder builder =
        SslContextBuilder.forClient()
            .sslProvider(Engines.choose(config.engine()))
            .protocols("TLSv1.3", "TLSv1.2")
            .ciphers(Http2SecurityUtil.CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
            .trustManager(UpstreamTrust.load(config.ca(), config.peerNames()))
            // The expected names take the place of the server's.
            .endpointIdentificationAlgorithm(config.peerNames().isEmpty() ? "HTTPS" : null);
    config
        .alpn()
        .ifPresent(protocol ->
            builder.applicationProtocolConfig(
                new ApplicationProtocolConfig(
                    Protocol.ALPN,
                    SelectorFailureBehavior.NO_ADVERTISE,
                    SelectedListenerFailureBehavior.ACCEPT,
                    protocol)));
    Optional<Identity> identity = Optional.empty();
    if (config.identity().isPresent()) {
      boolean mayBeReadByAll = config.keyPermissions() == KeyPermissions.ANY;
      Identity own = Identity.load(config.identity().get(), mayBeReadByAll, now);
      builder.keyManager(own.key(), own.chain());
      identity = Optional.of(own);
    }
    Path file = config.identity().map(CertificateFiles::certificate).orElse(Path.of("TLS"));
    return new Loaded(Engines.build(builder, file), identity);
  }

  /**
   * Creates the handler for one connection.
   *
   * @param upstream host:port as configured or discovered
   */
  public SslHandler newHandler(String upstream, ByteBufAllocator allocator) {
    String name = serverName(upstream);
    while (true) {
      try {
        SslHandler handler = loaded.context().newHandler(allocator, name, portOf(upstream));
        handler.setHandshakeTimeoutMillis(HANDSHAKE_TIMEOUT_MS);
        return handler;
      } catch (IllegalReferenceCountException replaced) {
        // New files came into force meanwhile.
        if (isClosed) {
          throw replaced;
        }
      }
    }
  }

  /** The name that the upstream's certificate must have, unless others are expected. */
  private String serverName(String upstream) {
    return config.serverName().orElseGet(() -> hostOf(upstream));
  }

  private static String hostOf(String upstream) {
    int colon = upstream.lastIndexOf(':');
    if (colon < 0 || upstream.startsWith("unix:")) {
      return LOCALHOST;
    }
    String host = upstream.substring(0, colon);
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  /** Sessions are resumed by host and port. */
  private static int portOf(String upstream) {
    String port = upstream.substring(upstream.lastIndexOf(':') + 1);
    return port.matches("[0-9]{1,5}") ? Integer.parseInt(port) : 0;
  }

  /** Whether this is the TLS that is wanted. */
  public boolean isFor(ClientTlsConfig wanted) {
    return config.equals(wanted);
  }

  @Override
  public void check() {
    Instant now = clock.get();
    if (isClosed || !files.areDue(now.toEpochMilli())) {
      return;
    }
    Loaded before = loaded;
    try {
      loaded = load(config, now);
    } catch (TlsFileException unusable) {
      if (files.refuse(unusable.problem(), now.toEpochMilli())) {
        events.onUpstreamFilesRefused(config.name(), unusable.problem());
      }
      return;
    }
    ReferenceCountUtil.release(before.context());
    events.onUpstreamFilesLoaded(config.name(), certificates());
  }

  /** The bridge's certificate; empty if it has none. */
  public List<OwnCertificate> certificates() {
    return loaded.identity().map(OwnCertificate::of).stream().toList();
  }

  /** Gives up what it holds; lanes go on. Later calls have no effect. */
  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      ReferenceCountUtil.release(loaded.context());
    }
  }
}
