package dev.waymark.net.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.waymark.config.ServerTlsConfig;
import dev.waymark.config.TlsKeys.KeyPermissions;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslServerSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.ReferenceCountedOpenSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a server's handshakes use: for each certificate a context of the TLS engine, found by the
 * name that the client asks for. Built from files; immutable.
 */
final class ServerContexts {
  /**
   * Mozilla's intermediate configuration, version 5.7, without the DHE suites, which BoringSSL does
   * not have (https://wiki.mozilla.org/Security/Server_Side_TLS).
   */
  private static final List<String> CIPHERS =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

  private static final String TLS_1_2 = "TLSv1.2";
  private static final String TLS_1_3 = "TLSv1.3";

  /** How long a session can be resumed; a client's certificate is checked again each time. */
  private static final long SESSION_TIMEOUT_S = 24 * 3_600;

  /**
   * BoringSSL keeps a buffer of this size for each connection, for what it writes while it reads,
   * which is the start of a handshake's reply. The rest of that goes straight to the socket's
   * buffer. Netty's default is 2,048.
   */
  private static final int UNSOLICITED_BYTES = 512;

  private final SslContext byDefault;
  private final Map<String, SslContext> byName;
  private final List<SslContext> all;
  private final List<Identity> identities;
  private final Optional<Trust> trust;

  private ServerContexts(
      List<SslContext> all,
      Map<String, SslContext> byName,
      List<Identity> identities,
      Optional<Trust> trust) {
    this.byDefault = all.getFirst();
    this.byName = Map.copyOf(byName);
    this.all = List.copyOf(all);
    this.identities = identities;
    this.trust = trust;
  }

  /**
   * Reads the files. Blocks.
   *
   * @param before the trust so far, which is kept if the files for it say the same
   * @throws TlsFileException if one cannot be used
   */
  static ServerContexts load(
      ServerTlsConfig config, SslProvider provider, Instant now, Optional<Trust> before)
      throws TlsFileException {
    boolean mayBeReadByAll = config.keyPermissions() == KeyPermissions.ANY;
    List<Identity> identities = new ArrayList<>();
    for (var files : config.certificates()) {
      identities.add(Identity.load(files, mayBeReadByAll, now));
    }
    Optional<Trust> trust = Optional.empty();
    if (config.clients().ca().isPresent()) {
      Trust read = Trust.load(config.clients().ca().get(), config.clients().crl());
      trust = Optional.of(before.filter(read::isLike).orElse(read));
    }
    // The JDK has its own keys; a file that cannot be used is a mistake nevertheless.
    OpenSslSessionTicketKey[] ticketKeys =
        config.ticketKeys().isPresent()
            ? TicketKeys.read(config.ticketKeys().get(), mayBeReadByAll)
            : new OpenSslSessionTicketKey[0];
    List<SslContext> all = new ArrayList<>();
    Map<String, SslContext> byName = new HashMap<>();
    try {
      for (Identity identity : identities) {
        SslContext context = context(config, provider, identity, trust);
        all.add(context);
        if (context.sessionContext() instanceof OpenSslServerSessionContext sessions) {
          // Without keys of ours, BoringSSL makes and rotates its own.
          sessions.setTicketKeys(ticketKeys);
          sessions.setSessionIdContext(sessionScope(config, trust));
        }
        int namesBefore = byName.size();
        identity.names().forEach(name -> byName.putIfAbsent(name, context));
        if (all.size() > 1 && byName.size() == namesBefore) {
          throw new TlsFileException(
              identity.files().certificate(),
              "has no name that those before it do not have, so no client would get it; remove it");
        }
      }
      return new ServerContexts(all, byName, identities, trust);
    } catch (TlsFileException | RuntimeException failed) {
      all.forEach(ReferenceCountUtil::release);
      throw failed;
    }
  }

  /**
   * Where a session can be resumed: only where the same clients are trusted. Listeners that share
   * their ticket keys may differ in that.
   */
  private static byte[] sessionScope(ServerTlsConfig config, Optional<Trust> trust) {
    MessageDigest digest = sha256();
    digest.update(config.clients().auth().name().getBytes(US_ASCII));
    trust.ifPresent(clients -> digest.update(clients.fingerprint()));
    return digest.digest();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static SslContext context(
      ServerTlsConfig config, SslProvider provider, Identity identity, Optional<Trust> trust)
      throws TlsFileException {
    SslContextBuilder builder =
        SslContextBuilder.forServer(identity.key(), identity.chain())
            .sslProvider(provider)
            .protocols(
                config.versionMin().equals(TLS_1_3) ? List.of(TLS_1_3) : List.of(TLS_1_3, TLS_1_2))
            .ciphers(CIPHERS)
            .sessionTimeout(SESSION_TIMEOUT_S)
            .clientAuth(
                switch (config.clients().auth()) {
                  case NONE -> ClientAuth.NONE;
                  case OPTIONAL -> ClientAuth.OPTIONAL;
                  case REQUIRED -> ClientAuth.REQUIRE;
                });
    trust.ifPresent(builder::trustManager);
    List<String> alpn = config.alpn();
    if (!alpn.isEmpty()) {
      // A client that offers other protocols is refused before its handshake.
      builder.applicationProtocolConfig(
          new ApplicationProtocolConfig(
              Protocol.ALPN,
              SelectorFailureBehavior.NO_ADVERTISE,
              SelectedListenerFailureBehavior.ACCEPT,
              alpn));
    }
    SslContext context = Engines.build(builder, identity.files().certificate());
    if (context instanceof ReferenceCountedOpenSslContext boringSsl) {
      boringSsl.setBioNonApplicationBufferSize(UNSOLICITED_BYTES);
    }
    return context;
  }

  /**
   * The context for the name that a client asks for: that of a certificate with this name or with a
   * wildcard for it, else the default one.
   *
   * @param serverName in lower case; null if the client names none
   */
  SslContext find(@Nullable String serverName) {
    if (serverName == null) {
      return byDefault;
    }
    SslContext exact = byName.get(serverName);
    int dot = serverName.indexOf('.');
    SslContext found =
        exact != null || dot < 0 ? exact : byName.get("*" + serverName.substring(dot));
    return found == null ? byDefault : found;
  }

  List<Identity> identities() {
    return identities;
  }

  Optional<Trust> trust() {
    return trust;
  }

  /** Gives up the contexts; handshakes and connections that use them keep them. */
  void release() {
    all.forEach(ReferenceCountUtil::release);
  }
}
