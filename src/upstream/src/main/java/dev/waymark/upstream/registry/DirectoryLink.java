package dev.waymark.upstream.registry;

import io.grpc.Channel;
import io.grpc.Status;

/** A way to a directory, for one attempt to register. */
public interface DirectoryLink {
  /** Where the call is made. */
  Channel channel();

  /** Why the call failed, for people. */
  default String problem(Status status) {
    String detail = status.getDescription();
    Throwable cause = status.getCause();
    if (cause != null && cause.getMessage() != null) {
      detail = cause.getMessage();
    }
    return detail == null ? status.getCode().name() : status.getCode() + ": " + detail;
  }

  /** The attempt is over, and its call has ended. */
  default void close() {}
}
