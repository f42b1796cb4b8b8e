package dev.waymark.api;

import dev.waymark.api.http.Authentication;
import dev.waymark.api.http.Authenticator;
import dev.waymark.api.http.Denial;
import dev.waymark.api.http.Sender;
import dev.waymark.config.AdminConfig;
import dev.waymark.config.AdminTls;
import dev.waymark.config.AdminTokens;
import dev.waymark.config.AdminTokens.Role;
import dev.waymark.config.ConfigException;
import dev.waymark.net.tls.PeerNames;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Decides who may use the admin port (docs/decisions/0042): the holders of tokens and of client
 * certificates with a role, or, if neither are configured, everybody who can reach a loopback
 * address. A request with both counts as the token's. Thread-safe.
 *
 * <p>A token file that was replaced by one that cannot be used leaves the former tokens in force.
 */
final class AdminAccess implements Authenticator {
  /** RFC 6750, 2.1; the scheme is in any case (RFC 9110, 11.1). */
  private static final Pattern BEARER = Pattern.compile("(?i:bearer) +([A-Za-z0-9._~+/=-]+) *");

  /** Who the holders of client certificates are. */
  private record ClientRoles(PeerNames readers, PeerNames operators) {
    /** Empty if nobody has a certificate. */
    static Optional<ClientRoles> of(AdminConfig config) {
      return config
          .tls()
          .filter(AdminTls::hasClientCertificates)
          .map(
              tls -> new ClientRoles(new PeerNames(tls.readers()), new PeerNames(tls.operators())));
    }

    Authentication admit(List<String> names) {
      Optional<String> operator = operators.findExactly(names);
      Optional<String> known = operator.or(() -> readers.findExactly(names));
      return known.isPresent()
          ? new Sender("certificate:" + known.get(), operator.isPresent())
          : Denial.UNKNOWN_CERTIFICATE;
    }
  }

  private static final Sender LOOPBACK = new Sender("loopback", true);

  private final boolean isLoopback;
  private final EventLog log;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile Optional<AdminTokens> tokens;
  private volatile Optional<ClientRoles> clients;

  /** Why the file cannot be used now; empty if it can. */
  private volatile String problem = "";

  AdminAccess(AdminConfig config, EventLog log) {
    // An unresolved address cannot be opened anyway.
    this.isLoopback =
        !config.address().isUnresolved() && config.address().getAddress().isLoopbackAddress();
    this.tokens = config.tokens();
    this.clients = ClientRoles.of(config);
    this.log = log;
  }

  @Override
  public Authentication admit(Credentials shown) {
    Optional<AdminTokens> current = tokens;
    Optional<ClientRoles> roles = clients;
    if (current.isEmpty() && roles.isEmpty()) {
      return isLoopback ? LOOPBACK : Denial.NO_TOKENS;
    }
    boolean hasToken = current.isPresent() && !shown.authorization().isEmpty();
    if (roles.isPresent() && shown.certificate().isPresent() && !hasToken) {
      return roles.get().admit(shown.certificate().get());
    }
    return current.isPresent()
        ? admit(current.get(), shown.authorization())
        : Denial.NO_CERTIFICATE;
  }

  private static Authentication admit(AdminTokens tokens, List<String> authorization) {
    if (authorization.isEmpty()) {
      return Denial.NO_CREDENTIALS;
    }
    Matcher bearer = BEARER.matcher(authorization.getFirst().strip());
    if (authorization.size() > 1 || !bearer.matches()) {
      return Denial.MALFORMED;
    }
    Optional<AdminTokens.Holder> holder = tokens.holder(bearer.group(1));
    return holder.isPresent()
        ? new Sender(holder.get().name(), holder.get().role() == Role.OPERATE)
        : Denial.UNKNOWN_TOKEN;
  }

  /** Replaces the tokens and the roles of client certificates, after a reload. */
  void use(AdminConfig next) {
    lock.lock();
    try {
      tokens = next.tokens();
      clients = ClientRoles.of(next);
      problem = "";
    } finally {
      lock.unlock();
    }
  }

  /**
   * Reads the token file again if it has changed. Blocks; does nothing if another thread does it.
   */
  void refresh() {
    if (!lock.tryLock()) {
      return;
    }
    try {
      Optional<AdminTokens> changed = tokens.flatMap(AdminTokens::readIfChanged);
      problem = "";
      if (changed.isPresent()) {
        tokens = changed;
        log.write(Event.ADMIN_TOKENS, "tokens", changed.get().count());
      }
    } catch (ConfigException unusable) {
      String why = String.valueOf(unusable.getMessage());
      if (!why.equals(problem)) {
        log.write(Event.ADMIN_TOKENS_REFUSED, "reason", why);
      }
      problem = why;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the file cannot be used now, and its former tokens are in force. */
  boolean isStale() {
    return !problem.isEmpty();
  }
}
