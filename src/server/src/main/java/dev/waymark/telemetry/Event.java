package dev.waymark.telemetry;

import java.util.Locale;
import org.slf4j.event.Level;

/**
 * All log events. ERROR: a bug, or the bridge cannot serve; WARN: the operator can act; INFO: the
 * life cycle of the process, listeners, pools and lanes, and the access log; DEBUG: the life cycle
 * of connections. Immutable.
 */
public enum Event {
  BRIDGE_STARTED(Level.INFO),
  /** Something works less well than it could; logged once for each cause, after the start. */
  DEGRADED(Level.WARN),
  LISTENER_OPEN(Level.INFO),
  LISTENER_CLOSED(Level.INFO),
  ACCEPT_PAUSED(Level.WARN),
  ACCEPT_RESUMED(Level.INFO),
  /** Changed files for TLS are in force. */
  TLS_FILES_LOADED(Level.INFO),
  /** Changed files for TLS cannot be used; the former ones stay in force. */
  TLS_FILES_REFUSED(Level.WARN),
  /** A client speaks TLS to a listener that does not; its bytes are passed on. */
  TLS_PASSED_ON(Level.WARN),
  CONNECTION_OPENED(Level.DEBUG),
  CONNECTION_ATTACHED(Level.DEBUG),
  /** A connection was taken from an owner that did not do its part. */
  CONNECTION_TAKEN(Level.WARN),
  CONNECTION_REFUSED(Level.WARN),
  /** The access log: one line for every connection, at its end. */
  CONNECTION_CLOSED(Level.INFO),
  LANE_OPEN(Level.INFO),
  /** The upstream announced the end of its connection (GOAWAY). */
  LANE_REPLACED(Level.INFO),
  LANE_ENDED(Level.INFO),
  LANE_BROKEN(Level.WARN),
  LANE_REFUSED(Level.WARN),
  UPSTREAM_FOUND(Level.INFO),
  UPSTREAM_GONE(Level.INFO),
  UPSTREAM_HEALTH(Level.INFO),
  UPSTREAM_NOT_SERVING(Level.WARN),
  UPSTREAM_DRAINING(Level.INFO),
  UPSTREAM_EJECTED(Level.WARN),
  UPSTREAM_RETURNED(Level.INFO),
  HEALTH_WATCH_BROKEN(Level.DEBUG),
  /** An egress has reached its server, for the first time or again. */
  SERVER_REACHED(Level.INFO),
  SERVER_UNREACHED(Level.WARN),
  DISCOVERY_FAILED(Level.WARN),
  LOOP_LATE(Level.WARN),
  MEMORY_LIMITS(Level.INFO),
  OVER_BUDGET(Level.WARN),
  UNDER_BUDGET(Level.INFO),
  /**
   * A request to the admin port had no valid credentials, used a name that is not served, or came
   * from another site.
   */
  ADMIN_REFUSED(Level.WARN),
  /**
   * The audit log: a line for every request of a known sender that changes something, or may not.
   */
  ADMIN_OPERATION(Level.INFO),
  /** The token file has changed, and its tokens are in force. */
  ADMIN_TOKENS(Level.INFO),
  /** The token file has changed and cannot be used; the former tokens stay in force. */
  ADMIN_TOKENS_REFUSED(Level.WARN),
  /** A node has registered its instances with a directory, for the first time or again. */
  NODE_REGISTERED(Level.INFO),
  /** A node has de-registered itself. */
  NODE_LEFT(Level.INFO),
  /** The call of a node broke off; its instances stay until its TTL has passed. */
  NODE_LOST(Level.WARN),
  /** A node was not heard of for its TTL; its instances are gone. */
  NODE_EXPIRED(Level.WARN),
  /** A directory did not take an instance. */
  INSTANCE_REFUSED(Level.WARN),
  /** An xDS client did not take what a directory sent it, or asked for what is not served. */
  XDS_REFUSED(Level.WARN),
  /** A directory ended the stream of an xDS client that went beyond a limit. */
  XDS_ENDED(Level.WARN),
  /** The store of a directory cannot be used; what is known of it stays. */
  STORE_FAILED(Level.WARN),
  STORE_REACHED(Level.INFO),
  /** A service that an agent minds passes its checks; it is registered. */
  SERVICE_HEALTHY(Level.INFO),
  /** A service that an agent minds fails its checks, and is de-registered at once. */
  SERVICE_UNHEALTHY(Level.WARN),
  /** A registry has confirmed the registration of an agent, for the first time or again. */
  REGISTERED(Level.INFO),
  /** An agent is not registered with a registry; it tries again for ever. */
  REGISTRATION_FAILED(Level.WARN),
  LOG_LEVEL(Level.INFO),
  /** Lines were dropped because standard error did not accept them in time. */
  LOG_DROPPED(Level.WARN),
  RELOADED(Level.INFO),
  RELOAD_REFUSED(Level.WARN),
  DRAINING(Level.INFO),
  STOPPED(Level.INFO),
  BUG(Level.ERROR),
  /** The process ends. */
  OUT_OF_MEMORY(Level.ERROR),
  /** The process ends. */
  FATAL(Level.ERROR);

  private final Level level;
  private final String label;

  Event(Level level) {
    this.level = level;
    this.label = name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns the level, which is fixed for each event. */
  public Level level() {
    return level;
  }

  /** Returns the lower-case form for the log. */
  public String label() {
    return label;
  }

  String logger() {
    return switch (this) {
      case CONNECTION_CLOSED -> Logging.ACCESS_LOGGER;
      case ADMIN_OPERATION -> Logging.AUDIT_LOGGER;
      default -> Logging.LOGGER;
    };
  }

  /** Whether a flood of this event is reduced to a few lines and a count. */
  boolean isRateLimited() {
    return level == Level.WARN || level == Level.ERROR;
  }
}
