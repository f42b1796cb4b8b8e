package dev.waymark.config;

import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.net.admission.AdmissionLimits;
import dev.waymark.net.admission.Network;
import dev.waymark.net.admission.NetworkSet;
import dev.waymark.protocol.Framing;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The settings of a listener, a port that accepts clients. Immutable.
 *
 * @param address where it listens, resolved
 * @param certificates for TLS, the default first; empty: the listener does not speak TLS
 * @param values those of the keys in {@link ListenerKeys}
 */
public record ListenerConfig(
    InetSocketAddress address,
    List<CertificateFiles> certificates,
    KeyValues<ListenerConfig> values) {
  public ListenerConfig {
    certificates = List.copyOf(certificates);
  }

  /** The value of a key. */
  public <T> T get(Key<ListenerConfig, T> key) {
    return values.get(key);
  }

  /** A copy with another value of a key. */
  public <T> ListenerConfig with(Key<ListenerConfig, T> key, T value) {
    return new ListenerConfig(address, certificates, values.with(key, value));
  }

  public String name() {
    return get(ListenerKeys.NAME);
  }

  /** The pool whose upstreams own its connections. */
  public String pool() {
    return get(ListenerKeys.POOL);
  }

  public Framing framing() {
    return get(ListenerKeys.FRAMING);
  }

  /** Whether all clients come through a proxy and start with a PROXY header. */
  public boolean isBehindProxy() {
    return get(ProxyProtocolKeys.MODE) == ProxyProtocolKeys.Mode.REQUIRED;
  }

  /** Who may connect, and how often. Takes some 50 ms for 100,000 networks. */
  public AdmissionLimits admission() {
    return new AdmissionLimits(
        networks(LimitKeys.ALLOWED, LimitKeys.ALLOWED_FILE),
        networks(LimitKeys.DENIED, LimitKeys.DENIED_FILE),
        get(LimitKeys.CONNECTIONS_PER_SOURCE),
        get(LimitKeys.ACCEPT_RATE_PER_SOURCE),
        get(LimitKeys.ACCEPT_RATE),
        get(LimitKeys.ACCEPT_RAMP).toNanos());
  }

  private NetworkSet networks(
      Key<ListenerConfig, List<Network>> inline, Key<ListenerConfig, NetworkFile> file) {
    List<Network> all = new ArrayList<>(get(inline));
    all.addAll(get(file).networks());
    return NetworkSet.of(all);
  }

  /** Whether clients speak TLS. */
  public boolean isTls() {
    return !certificates.isEmpty();
  }

  /** Its TLS; {@link #isTls}. */
  public ServerTlsConfig tls() {
    Duration proxy = isBehindProxy() ? get(ProxyProtocolKeys.HEADER_TIMEOUT) : Duration.ZERO;
    return new ServerTlsConfig(
        name(),
        certificates,
        get(TlsKeys.KEY_PERMISSIONS),
        get(TlsKeys.ENGINE),
        get(TlsKeys.VERSION_MIN),
        get(TlsKeys.ALPN),
        get(TlsKeys.TICKET_KEYS),
        new ServerTlsConfig.ClientCertificates(
            get(TlsKeys.CLIENT_AUTH),
            get(TlsKeys.CLIENT_CA),
            get(TlsKeys.CLIENT_CRL),
            get(TlsKeys.RECHECK_CLIENTS)),
        proxy.plus(get(TlsKeys.HANDSHAKE_TIMEOUT)));
  }

  /** The engine's options for the listener. */
  public ListenerOptions options() {
    AgeOptions age =
        new AgeOptions(
            get(ListenerKeys.AGE_MAX).toNanos(),
            get(ListenerKeys.AGE_JITTER),
            get(ListenerKeys.AGE_GRACE).toNanos());
    return new ListenerOptions(
        name(),
        pool(),
        framing(),
        get(ListenerKeys.FRAME_MAX),
        get(ListenerKeys.IDLE_TIMEOUT).toNanos(),
        get(LimitKeys.FIRST_BYTE_TIMEOUT).toNanos(),
        Set.copyOf(get(ListenerKeys.PUSH_FROM)),
        age);
  }
}
