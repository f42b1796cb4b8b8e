package dev.waymark.etcd;

import io.grpc.Status;
import java.util.Set;

/**
 * What etcd means by a gRPC status. Texts are those of its package etcdserver/api/v3rpc/rpctypes,
 * which are the same in all versions of etcd v3. Stateless.
 */
final class EtcdErrors {
  /** About the request, not the server: another server would say the same. */
  private static final Set<Status.Code> OF_REQUEST =
      Set.of(
          Status.Code.INVALID_ARGUMENT,
          Status.Code.NOT_FOUND,
          Status.Code.ALREADY_EXISTS,
          Status.Code.PERMISSION_DENIED,
          Status.Code.RESOURCE_EXHAUSTED,
          Status.Code.FAILED_PRECONDITION,
          Status.Code.OUT_OF_RANGE);

  private static final String BAD_TOKEN = "invalid auth token";
  private static final String OLD_TOKEN = "revision of auth store is old";
  private static final String NO_TOKEN = "user name is empty";
  private static final String BAD_LOGIN = "authentication failed";
  private static final String NO_LOGIN = "authentication is not enabled";
  private static final String NO_PERMISSION = "permission denied";
  private static final String COMPACTED = "has been compacted";
  private static final String FUTURE = "is a future revision";
  private static final String NO_LEASE = "requested lease not found";

  private EtcdErrors() {}

  /**
   * The status for the reason of a canceled watch, in which etcd writes one as text.
   *
   * @param reason may be empty
   */
  static Status ofCanceled(String reason) {
    Status status =
        reason.contains(BAD_TOKEN)
            ? Status.UNAUTHENTICATED
            : isDenial(reason) || reason.contains(OLD_TOKEN)
                ? Status.PERMISSION_DENIED
                : Status.ABORTED;
    return status.withDescription("the watch was canceled: " + reason);
  }

  /** Whether a login would help: the token has expired, or the server does not know it. */
  static boolean isStaleToken(Status status) {
    return has(status, BAD_TOKEN) || has(status, OLD_TOKEN);
  }

  /** Whether the server works, and refuses this request. */
  static boolean isRefusal(Status status) {
    return OF_REQUEST.contains(status.getCode()) && !isStaleToken(status);
  }

  /** The same status, with a code that says so if the user, or a login, is missing or wrong. */
  static Status withDenial(Status status) {
    String text = status.getDescription();
    return text != null && isDenial(text) ? Status.PERMISSION_DENIED.withDescription(text) : status;
  }

  private static boolean isDenial(String text) {
    return text.contains(NO_PERMISSION) || text.contains(NO_TOKEN) || text.contains(BAD_LOGIN);
  }

  /** Whether the server wants no login. */
  static boolean isWithoutLogin(Status status) {
    return has(status, NO_LOGIN);
  }

  /** Whether the revision asked for is not kept any more. */
  static boolean isCompacted(Status status) {
    return has(status, COMPACTED);
  }

  /** Whether the revision asked for is yet to come. */
  static boolean isFuture(Status status) {
    return has(status, FUTURE);
  }

  /** Whether the lease has expired or been revoked. */
  static boolean isLeaseGone(Status status) {
    return has(status, NO_LEASE);
  }

  private static boolean has(Status status, String text) {
    String description = status.getDescription();
    return description != null && description.contains(text);
  }
}
