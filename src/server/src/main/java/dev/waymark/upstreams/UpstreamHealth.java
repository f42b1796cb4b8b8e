package dev.waymark.upstreams;

import io.grpc.health.v1.HealthCheckResponse.ServingStatus;

/**
 * What is known of an upstream's health; the names are what {@link
 * dev.waymark.engine.lane.UpstreamView#health()} shows.
 */
enum UpstreamHealth {
  /** Not asked yet, or it does not know. */
  UNKNOWN(false),
  SERVING(true),
  NOT_SERVING(false),
  /** It does not know the service that was asked for. */
  SERVICE_UNKNOWN(false),
  /** It has no health service and its transport is up. */
  UNIMPLEMENTED(true),
  /** The Watch broke or could not be opened. */
  UNREACHABLE(false);

  private final boolean isServing;

  UpstreamHealth(boolean isServing) {
    this.isServing = isServing;
  }

  /** Whether it may be given connections. */
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
