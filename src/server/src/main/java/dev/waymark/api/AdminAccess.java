package dev.waymark.api;

import dev.waymark.api.http.Admission;
import dev.waymark.api.http.Authenticator;
import dev.waymark.api.http.Denial;
import dev.waymark.api.http.Identity;
import dev.waymark.config.AdminConfig;
import dev.waymark.config.AdminTokens;
import dev.waymark.config.AdminTokens.Role;
import dev.waymark.config.ConfigException;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Decides who may use the admin port (docs/decisions/0042): the holders of tokens, or, if no tokens
 * are configured, everybody who can reach a loopback address. Thread-safe.
 *
 * <p>A token file that was replaced by one that cannot be used leaves the former tokens in force.
 */
final class AdminAccess implements Authenticator {
  /** RFC 6750, 2.1; the scheme is in any case (RFC 9110, 11.1). */
  private static final Pattern BEARER = Pattern.compile("(?i:bearer) +([A-Za-z0-9._~+/=-]+) *");

  private static final Identity LOOPBACK = new Identity("loopback", true);

  private final boolean isLoopback;
  private final EventLog log;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile Optional<AdminTokens> tokens;

  /** Why the file cannot be used now; empty if it can. */
  private volatile String problem = "";

  AdminAccess(AdminConfig config, EventLog log) {
    // An unresolved address cannot be opened anyway.
    this.isLoopback =
        !config.address().isUnresolved() && config.address().getAddress().isLoopbackAddress();
    this.tokens = config.tokens();
    this.log = log;
  }

  @Override
  public Admission admit(Credentials shown) {
    Optional<AdminTokens> current = tokens;
    if (current.isEmpty()) {
      return isLoopback ? LOOPBACK : Denial.NO_TOKENS;
    }
    List<String> headers = shown.authorization();
    if (headers.isEmpty()) {
      return Denial.NO_CREDENTIALS;
    }
    Matcher bearer = BEARER.matcher(headers.getFirst().strip());
    if (headers.size() > 1 || !bearer.matches()) {
      return Denial.MALFORMED;
    }
    Optional<AdminTokens.Holder> holder = current.get().holder(bearer.group(1));
    return holder.isPresent()
        ? new Identity(holder.get().name(), holder.get().role() == Role.OPERATE)
        : Denial.UNKNOWN_TOKEN;
  }

  /** Replaces the tokens, after a reload. */
  void use(Optional<AdminTokens> next) {
    lock.lock();
    try {
      tokens = next;
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
