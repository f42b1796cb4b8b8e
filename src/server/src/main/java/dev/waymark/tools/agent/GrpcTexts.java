package dev.waymark.tools.agent;

import io.grpc.Status;

/** What gRPC says, for people. Stateless. */
final class GrpcTexts {
  private GrpcTexts() {}

  /** For example, "UNAVAILABLE: Connection refused"; a cause says more than gRPC. */
  static String of(Status status) {
    Throwable cause = status.getCause();
    String detail =
        cause != null && cause.getMessage() != null ? cause.getMessage() : status.getDescription();
    return detail == null ? status.getCode().name() : status.getCode() + ": " + detail;
  }
}
