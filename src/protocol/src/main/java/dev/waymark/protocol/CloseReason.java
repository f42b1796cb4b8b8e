package dev.waymark.protocol;

import java.util.Locale;

/**
 * Why a connection, or its attachment to an upstream, ended. Used on the wire ({@code CloseReason}
 * in attach.proto has the same names and numbers), in the access log and as a metric label.
 * Immutable.
 */
public enum CloseReason {
  DONE(1, Origin.UPSTREAM, "both directions ended, or the upstream asked for a clean end"),
  ABORT(2, Origin.UPSTREAM, "the upstream asked for a reset"),
  BUSY(3, Origin.UPSTREAM, "the upstream has no room"),
  NOT_HERE(4, Origin.UPSTREAM, "the upstream does not serve such connections"),
  SHUTTING_DOWN(5, Origin.UPSTREAM, "the upstream is going away"),
  FENCED(6, Origin.BRIDGE, "a newer epoch owns the connection"),
  CLIENT_RESET(7, Origin.CLIENT, "the client reset its socket"),
  CLIENT_TIMEOUT(8, Origin.CLIENT, "the client's host stopped answering"),
  IDLE_TIMEOUT(9, Origin.BRIDGE, "no byte moved in either direction for the idle-timeout"),
  FRAME_TOO_LONG(10, Origin.CLIENT, "a message is longer than frame-max"),
  FRAME_INCOMPLETE(11, Origin.CLIENT, "the client sent FIN in the middle of a message"),
  FRAME_INVALID(12, Origin.CLIENT, "an impossible length field"),
  NO_UPSTREAM(13, Origin.BRIDGE, "no upstream was SERVING in time"),
  UPSTREAM_LOST(14, Origin.UPSTREAM, "the lane to the upstream broke"),
  FLOW_CONTROL(15, Origin.UPSTREAM, "bytes beyond the limit, or consumed beyond what was sent"),
  COMMIT_INCOMPLETE(16, Origin.UPSTREAM, "the rest of a commit did not arrive in time"),
  UNKNOWN_CONNECTION(17, Origin.UPSTREAM, "this shard never had such a connection"),
  SETTINGS_LATE(18, Origin.UPSTREAM, "Settings came after the lane had become at-most-once"),
  WINDOW_STALLED(
      19, Origin.UPSTREAM, "the window stayed full and consumed did not move for too long"),
  POISON(20, Origin.CLIENT, "upstream after upstream was lost while handling its request"),
  SLOW_CLIENT(21, Origin.CLIENT, "the client does not read its replies"),
  OVERLOAD(22, Origin.BRIDGE, "the bridge is over its memory budget"),
  BRIDGE_STOPPED(23, Origin.BRIDGE, "the bridge is shutting down"),
  PROTOCOL(24, Origin.UPSTREAM, "a frame that violates the protocol"),
  INTERNAL(25, Origin.BRIDGE, "a bug in the bridge"),
  OPERATOR(26, Origin.BRIDGE, "an operator closed it"),
  MOVED(
      27, Origin.BRIDGE, "handed over to another upstream; ends an attachment, never a connection"),
  CONNECTION_AGE(28, Origin.BRIDGE, "older than connection-age-max"),
  FIRST_BYTE_TIMEOUT(29, Origin.BRIDGE, "the client sent nothing for the first-byte-timeout"),
  CLIENT_TRUNCATED(30, Origin.CLIENT, "the client closed its socket without TLS's close_notify"),
  TLS_IDENTITY_REVOKED(
      31, Origin.BRIDGE, "the client's certificate was revoked, or its CA is no longer trusted"),
  TLS_IDENTITY_EXPIRED(32, Origin.BRIDGE, "the client's certificate has expired"),
  TLS_ERROR(33, Origin.CLIENT, "the client violated TLS, or sent a fatal alert");

  /** Who caused the end. */
  public enum Origin {
    CLIENT,
    UPSTREAM,
    BRIDGE;

    /** The lower-case form in logs. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final CloseReason[] BY_WIRE_CODE = new CloseReason[values().length + 1];

  static {
    for (CloseReason reason : values()) {
      BY_WIRE_CODE[reason.wireCode] = reason;
    }
  }

  private final int wireCode;
  private final Origin origin;
  private final String label;
  private final String meaning;

  CloseReason(int wireCode, Origin origin, String meaning) {
    this.wireCode = wireCode;
    this.origin = origin;
    this.label = name().toLowerCase(Locale.ROOT);
    this.meaning = meaning;
  }

  /** The number in attach.proto, from 1. */
  public int wireCode() {
    return wireCode;
  }

  /** Who usually causes it. For DONE either side may; the access log tells which. */
  public Origin origin() {
    return origin;
  }

  /** The lower-case form in logs and metric labels. */
  public String label() {
    return label;
  }

  /** A one-clause explanation for people. */
  public String meaning() {
    return meaning;
  }

  /** Whether the upstream asks the bridge to try another one (rule 8). */
  public boolean isRefusal() {
    return this == BUSY || this == NOT_HERE || this == SHUTTING_DOWN;
  }

  /**
   * Whether it ends attachments but never a connection; only bridges send such a reason (rule 8).
   */
  public boolean endsAttachmentOnly() {
    return this == FENCED || this == MOVED || this == UNKNOWN_CONNECTION;
  }

  /**
   * Whether the client gets an RST at once, because its stream is incomplete. Otherwise it gets a
   * FIN after the last byte.
   */
  public boolean isAbortive() {
    return switch (this) {
      case ABORT,
          FLOW_CONTROL,
          COMMIT_INCOMPLETE,
          PROTOCOL,
          SLOW_CLIENT,
          OVERLOAD,
          INTERNAL,
          CLIENT_RESET,
          CLIENT_TIMEOUT,
          CLIENT_TRUNCATED,
          TLS_IDENTITY_REVOKED,
          TLS_IDENTITY_EXPIRED,
          TLS_ERROR ->
          true;
      case DONE,
          BUSY,
          NOT_HERE,
          SHUTTING_DOWN,
          FENCED,
          IDLE_TIMEOUT,
          FRAME_TOO_LONG,
          FRAME_INCOMPLETE,
          FRAME_INVALID ->
          false;
      case NO_UPSTREAM,
          UPSTREAM_LOST,
          UNKNOWN_CONNECTION,
          SETTINGS_LATE,
          WINDOW_STALLED,
          POISON,
          BRIDGE_STOPPED ->
          false;
      case OPERATOR, MOVED, CONNECTION_AGE, FIRST_BYTE_TIMEOUT -> false;
    };
  }

  /**
   * The reason with this number. PROTOCOL if the number is unknown, because the peer's intent is
   * unknown too.
   */
  public static CloseReason ofWireCode(int wireCode) {
    return wireCode > 0 && wireCode < BY_WIRE_CODE.length ? BY_WIRE_CODE[wireCode] : PROTOCOL;
  }

  /** The reason that an upstream gave. PROTOCOL if only bridges may give it. */
  public static CloseReason saidByUpstream(int wireCode) {
    CloseReason reason = ofWireCode(wireCode);
    return reason.endsAttachmentOnly() ? PROTOCOL : reason;
  }
}
