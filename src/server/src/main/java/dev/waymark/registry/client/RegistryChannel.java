package dev.waymark.registry.client;

import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.net.tls.UpstreamTls;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * A gRPC channel to one server of a registry. Calls are answered on the control thread, and all
 * methods are called there.
 */
public final class RegistryChannel {
  private final String server;
  private final ManagedChannel channel;
  private final Dial dial;
  private final @Nullable UpstreamTls tls;

  RegistryChannel(String server, ManagedChannel channel, Dial dial, @Nullable UpstreamTls tls) {
    this.server = server;
    this.channel = channel;
    this.dial = dial;
    this.tls = tls;
  }

  /** The server, as host:port. */
  public String server() {
    return server;
  }

  public ManagedChannel channel() {
    return channel;
  }

  /**
   * Why a call failed, with the name of the server: what is wrong with the connection, if known.
   */
  public UpstreamProblem problem(Status status) {
    return dial.problem()
        .map(problem -> new UpstreamProblem(problem.kind(), server + ": " + problem.text()))
        .orElseGet(() -> {
          boolean isDenied =
              status.getCode() == Status.Code.UNAUTHENTICATED
                  || status.getCode() == Status.Code.PERMISSION_DENIED;
          return new UpstreamProblem(
              isDenied ? Kind.REGISTRY_DENIED : Kind.REGISTRY_FAILED,
              server + ": " + describe(status));
        });
  }

  /** Returns, for example, "UNAVAILABLE: Connection refused: …"; a cause says more than gRPC. */
  private static String describe(Status status) {
    Throwable cause = status.getCause();
    String detail =
        cause != null && cause.getMessage() != null ? cause.getMessage() : status.getDescription();
    return detail == null ? status.getCode().name() : status.getCode() + ": " + detail;
  }

  /** Ends all calls and the connection. Later calls have no effect. */
  public void close() {
    channel.shutdownNow();
    if (tls != null) {
      tls.close();
    }
  }
}
