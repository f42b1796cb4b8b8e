package dev.waymark.net.tls;

import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ServerTlsConfig;
import dev.waymark.files.FollowedFiles;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.IllegalReferenceCountException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of one listener, or of the admin port. It follows its files: a set of files that can be
 * used serves the handshakes from then on, any other leaves the former one in force. It also
 * follows the clients that presented a certificate, and ends those that are no longer trusted.
 * Thread-safe; {@link #check} and {@link #close} are called by one thread, which may block.
 */
public final class ServerTls implements TlsWatch.Followed {
  /** Receives what happens to the files. Called on the thread of {@link #check}. */
  public interface Events {
    /** New files are in force. */
    void onFilesLoaded(String listener, List<OwnCertificate> certificates);

    /** The files have changed, but cannot be used; the former ones stay in force. */
    void onFilesRefused(String listener, String problem);
  }

  /** A connection whose client has proved who it is. */
  public interface Client {
    /** The chain that the client presented. */
    X509Certificate[] chain();

    /** Ends the connection, because its certificate is no longer trusted. Any thread. */
    void end(Distrust why);
  }

  private final ServerTlsConfig config;
  private final SslProvider provider;
  private final Supplier<Instant> clock;
  private final Events events;
  private final FollowedFiles files;
  private final Clients clients;
  private volatile ServerContexts contexts;

  /** When the last handshake that began before {@link #retire} is over; Unix milliseconds. */
  private volatile long graceUntilMs = Long.MAX_VALUE;

  private volatile boolean isClosed;

  private ServerTls(
      ServerTlsConfig config,
      SslProvider provider,
      Supplier<Instant> clock,
      Events events,
      FollowedFiles files,
      @Nullable ServerTls predecessor)
      throws TlsFileException {
    this.config = config;
    this.provider = provider;
    this.clock = clock;
    this.events = events;
    this.files = files;
    this.clients = predecessor == null ? new Clients() : predecessor.clients;
    Optional<Trust> before = predecessor == null ? Optional.empty() : predecessor.contexts.trust();
    this.contexts = ServerContexts.load(config, provider, clock.get(), before);
  }

  /**
   * Reads the files. Blocks.
   *
   * @param predecessor the TLS of the listener so far, whose clients the new one takes over; null
   *     if there is none
   * @param clock the wall clock
   * @throws TlsFileException if a file cannot be used
   * @throws dev.waymark.config.ConfigException if the wanted engine is not available
   */
  public static ServerTls open(
      ServerTlsConfig config,
      @Nullable ServerTls predecessor,
      Supplier<Instant> clock,
      Events events)
      throws TlsFileException {
    return new ServerTls(
        config,
        Engines.choose(config.engine()),
        clock,
        events,
        new FollowedFiles(filesOf(config)),
        predecessor);
  }

  /**
   * A context for a server that reads its files once, at its start. Blocks.
   *
   * @param now the time at which certificates have to be valid
   * @throws TlsFileException if a file cannot be used
   */
  public static SslContext context(ServerTlsConfig config, Instant now) throws TlsFileException {
    return ServerContexts.load(config, Engines.choose(config.engine()), now, Optional.empty())
        .find(null);
  }

  private static List<Path> filesOf(ServerTlsConfig config) {
    List<Path> files = new ArrayList<>();
    for (CertificateFiles pair : config.certificates()) {
      files.add(pair.certificate());
      files.add(pair.key());
    }
    config.clients().ca().ifPresent(files::add);
    config.clients().crl().ifPresent(files::add);
    config.ticketKeys().ifPresent(files::add);
    return files;
  }

  // --- handshakes ---

  /**
   * Begins the handshake of one connection, with the certificate for the name that the client asks
   * for.
   *
   * @param serverName in lower case; null if the client names none
   * @param tasks runs the costly steps of the JDK's engine
   */
  public Handshake begin(@Nullable String serverName, ByteBufAllocator allocator, Executor tasks) {
    while (true) {
      ServerContexts now = contexts;
      try {
        return new Handshake(now.find(serverName).newHandler(allocator, tasks), now);
      } catch (IllegalReferenceCountException replaced) {
        // New files came into force meanwhile.
        if (isClosed) {
          throw replaced;
        }
      }
    }
  }

  /** The protocols to choose from by ALPN; empty: none. */
  public List<String> applicationProtocols() {
    return config.alpn();
  }

  /** What speaks TLS, for the log: boringssl or jdk. */
  public String engine() {
    return provider == SslProvider.JDK ? "jdk" : "boringssl";
  }

  /** Whether an {@link OutputGuard} belongs before the handler. */
  public boolean needsOutputGuard() {
    return provider == SslProvider.JDK;
  }

  /** Whether the bridge can still reply after a client's close_notify, with TLS 1.3. */
  public boolean canHalfClose() {
    return provider == SslProvider.JDK;
  }

  // --- clients ---

  /** Follows a client that presented a certificate, until {@link #remove}. Any thread. */
  public void add(Client client, Handshake handshake) {
    handshake
        .contexts()
        .trust()
        .ifPresent(trust -> clients.add(client, trust, clock.get().toEpochMilli()));
  }

  public void remove(Client client) {
    clients.remove(client);
  }

  // --- files ---

  /** Whether this is the TLS that is wanted. */
  public boolean isFor(ServerTlsConfig wanted) {
    return config.equals(wanted);
  }

  /** Takes over changed files, and ends clients that are no longer trusted. Blocks. */
  @Override
  public void check() {
    if (isClosed) {
      return;
    }
    Instant now = clock.get();
    long nowMs = now.toEpochMilli();
    if (files.areDue(nowMs)) {
      reload(now);
    }
    ServerContexts inForce = contexts;
    if (config.clients().areRechecked()) {
      inForce.trust().ifPresent(trust -> clients.check(trust, nowMs));
    }
  }

  private void reload(Instant now) {
    ServerContexts before = contexts;
    try {
      contexts = ServerContexts.load(config, provider, now, before.trust());
    } catch (TlsFileException unusable) {
      boolean isNew = files.refuse(unusable.problem(), now.toEpochMilli());
      if (isNew && !isRetired()) {
        events.onFilesRefused(config.name(), unusable.problem());
      }
      return;
    }
    before.release();
    if (!isRetired()) {
      events.onFilesLoaded(config.name(), certificates());
    }
  }

  /** The certificates in force, the default first. */
  public List<OwnCertificate> certificates() {
    return contexts.identities().stream().map(OwnCertificate::of).toList();
  }

  // --- end ---

  /** It is no longer in force: from now on it follows only clients, without telling its events. */
  void retire() {
    graceUntilMs = clock.get().plus(config.setupTimeout()).toEpochMilli();
  }

  private boolean isRetired() {
    return graceUntilMs != Long.MAX_VALUE;
  }

  /** Whether no handshake needs it any more. */
  boolean isGraceOver() {
    return clock.get().toEpochMilli() > graceUntilMs;
  }

  boolean hasClients() {
    return !clients.isEmpty();
  }

  /** Whether this is the successor or predecessor of the other. */
  boolean hasSameClients(ServerTls other) {
    return clients == other.clients;
  }

  /** Gives up what it holds; connections go on. Later calls have no effect. */
  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      contexts.release();
    }
  }
}
