package dev.waymark.engine.base;

/**
 * A total that a shard keeps, named by the conventions of Prometheus. Its scope determines its
 * labels. Immutable.
 */
public enum Counter {
  CONNECTIONS_ACCEPTED(
      Scope.LISTENER, "waymark_connections_accepted_total", "Clients that were given a mark."),
  CLIENT_RECEIVED_BYTES(
      Scope.LISTENER, "waymark_client_received_bytes_total", "Bytes read from clients."),
  CLIENT_SENT_BYTES(
      Scope.LISTENER, "waymark_client_sent_bytes_total", "Bytes that clients' sockets took."),
  READING_PAUSED(
      Scope.LISTENER,
      "waymark_client_reading_paused_total",
      "Times that reading from a client was paused, for back pressure."),
  REPLAYED_BYTES(
      Scope.LISTENER, "waymark_replayed_bytes_total", "Client bytes sent again to a new owner."),
  SUSPECTS_TRIED(
      Scope.LISTENER,
      "waymark_suspects_tried_total",
      "Connections that lost one owner after the other and were put on probation."),
  SUSPECTS_UNTRIED(
      Scope.LISTENER,
      "waymark_suspects_untried_total",
      "Connections that lost one owner after the other and were placed without probation: too many waited, or for too long."),
  CONNECTIONS_ATTACHED(
      Scope.UPSTREAM,
      "waymark_upstream_connections_attached_total",
      "Connections given to the upstream."),
  CONNECTIONS_DETACHED(
      Scope.UPSTREAM,
      "waymark_upstream_connections_detached_total",
      "Connections that left the upstream."),
  UPSTREAM_SENT_BYTES(
      Scope.UPSTREAM, "waymark_upstream_sent_bytes_total", "Client bytes sent to the upstream."),
  UPSTREAM_RECEIVED_BYTES(
      Scope.UPSTREAM,
      "waymark_upstream_received_bytes_total",
      "Reply bytes received from the upstream."),
  FRAMES_SENT(Scope.UPSTREAM, "waymark_lane_frames_sent_total", "Frames sent to the upstream."),
  FRAMES_RECEIVED(
      Scope.UPSTREAM, "waymark_lane_frames_received_total", "Frames received from the upstream."),
  BATCHES_SENT(
      Scope.UPSTREAM, "waymark_lane_batches_sent_total", "gRPC messages sent to the upstream."),
  FRAMES_FENCED(
      Scope.UPSTREAM,
      "waymark_lane_frames_fenced_total",
      "Frames dropped because they were of an older epoch or a closed connection."),
  FRAMES_UNKNOWN(
      Scope.UPSTREAM,
      "waymark_lane_frames_unknown_total",
      "Frames for a connection that never existed."),
  LANES_OPENED(Scope.UPSTREAM, "waymark_lanes_opened_total", "Lanes that were opened."),
  LANES_BROKEN(Scope.UPSTREAM, "waymark_lanes_broken_total", "Lanes that broke."),
  LANES_REPLACED(
      Scope.UPSTREAM,
      "waymark_lanes_replaced_total",
      "Lanes whose upstream announced their end with GOAWAY, and in whose place another was dialled."),
  LANES_FINISHED(
      Scope.UPSTREAM,
      "waymark_lanes_finished_total",
      "Lanes that ended because they were no longer needed."),
  ANNOUNCEMENTS_SENT(
      Scope.UPSTREAM,
      "waymark_announcements_sent_total",
      "Opened and closed connections announced to the upstream."),
  ANNOUNCEMENT_RESYNCS(
      Scope.UPSTREAM,
      "waymark_announcement_resyncs_total",
      "Times that everything was announced again because the upstream read too slowly."),
  LANE_STALLS(
      Scope.UPSTREAM,
      "waymark_lane_stalls_total",
      "Times that the transport under a lane became unwritable.");

  /** Which labels a counter has. */
  public enum Scope {
    /** Label: listener. */
    LISTENER,
    /** Labels: pool, upstream. */
    UPSTREAM
  }

  private final Scope scope;
  private final String metric;
  private final String help;

  Counter(Scope scope, String metric, String help) {
    this.scope = scope;
    this.metric = metric;
    this.help = help;
  }

  public Scope scope() {
    return scope;
  }

  /** The Prometheus name. */
  public String metric() {
    return metric;
  }

  /** The help text of the metric. */
  public String help() {
    return help;
  }
}
