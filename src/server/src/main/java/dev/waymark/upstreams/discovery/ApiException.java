package dev.waymark.upstreams.discovery;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import java.io.Serial;

/** Why a request to the API server of Kubernetes ended without an answer that can be used. */
final class ApiException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  /** What is left to do. */
  enum End {
    /** Report the problem. */
    FAILED,
    /** The server has forgotten the version that was asked for (410): list again. */
    EXPIRED,
    /** A watch broke off: resume it. */
    BROKEN
  }

  private final End end;
  private final transient UpstreamProblem problem;

  private ApiException(End end, UpstreamProblem problem) {
    super(problem.text(), null, false, false);
    this.end = end;
    this.problem = problem;
  }

  static ApiException failed(String text) {
    return failed(Kind.KUBERNETES_FAILED, text);
  }

  static ApiException failed(Kind kind, String text) {
    return new ApiException(End.FAILED, new UpstreamProblem(kind, text));
  }

  static ApiException expired(String text) {
    return new ApiException(End.EXPIRED, new UpstreamProblem(Kind.KUBERNETES_FAILED, text));
  }

  static ApiException broken(String text) {
    return new ApiException(End.BROKEN, new UpstreamProblem(Kind.KUBERNETES_FAILED, text));
  }

  End end() {
    return end;
  }

  UpstreamProblem problem() {
    return problem;
  }
}
