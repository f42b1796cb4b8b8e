package dev.waymark.upstreams;

import io.grpc.health.v1.HealthCheckResponse.ServingStatus;

/**
 * The health of an upstream; the names appear in {@link
 * dev.waymark.engine.lane.UpstreamView#health()}.
 */
public enum UpstreamHealth {
  /** No answer yet, or its health service reports UNKNOWN. */
  UNKNOWN(false),
  SERVING(true),
  NOT_SERVING(false),
  /** Its health service does not know the configured service. */
  SERVICE_UNKNOWN(false),
  /** It has no health service, but its transport is up. */
  UNIMPLEMENTED(true),
  /** The Watch broke or could not be opened. */
  UNREACHABLE(false);

  private final boolean isServing;

  UpstreamHealth(boolean isServing) {
    this.isServing = isServing;
  }

  /** Whether it may get connections. */
  boolean isServing() {
    return isServing;
  }

  static UpstreamHealth of(ServingStatus status) {
    return switch (status) {
      case SERVING -> SERVING;
      case NOT_SERVING -> NOT_SERVING;
      case SERVICE_UNKNOWN -> SERVICE_UNKNOWN;
      case UNKNOWN, UNRECOGNIZED -> UNKNOWN;
    };
  }
}
