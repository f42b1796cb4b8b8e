package dev.waymark.tools.agent;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.tools.agent.ServiceChannels.Opened;
import dev.waymark.upstreams.control.ControlLoop;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code grpc}: what the service's health service says (grpc.health.v1). A Watch tells at once when
 * it changes; a Check at each test tells that the service still answers. Either may be
 * unimplemented. Confined to the agent's loop.
 */
final class GrpcProbe implements Probe {
  /** Learns what a Watch tells between tests. */
  interface Listener {
    /** The service says that it does not serve. */
    void onNotServing(String reason);

    /** The Watch has ended: the service may be gone. */
    void onLost();
  }

  private static final Verdict UNIMPLEMENTED =
      Verdict.failed("it has no health service (grpc.health.v1); check it by tcp or http");

  private final ControlLoop control;
  private final ServiceChannels channels;
  private final HealthCheckRequest request;
  private final Listener listener;

  /** Answers to former tests, and of former connections, are ignored. */
  private long tests;

  private @Nullable Connection connection;

  /**
   * @param service to ask about; empty: the whole server
   */
  GrpcProbe(ControlLoop control, ServiceChannels channels, String service, Listener listener) {
    this.control = control;
    this.channels = channels;
    this.request = HealthCheckRequest.newBuilder().setService(service).build();
    this.listener = listener;
  }

  @Override
  public void start(Consumer<Verdict> onVerdict) {
    long test = ++tests;
    if (connection != null) {
      connection.test(onVerdict);
      return;
    }
    channels.open(
        opened -> {
          if (test == tests) {
            connection = new Connection(opened);
            connection.test(onVerdict);
          } else {
            opened.channel().shutdownNow();
          }
        },
        reason -> {
          if (test == tests) {
            onVerdict.accept(Verdict.failed(reason));
          }
        });
  }

  @Override
  public String giveUp() {
    tests++;
    Optional<UpstreamProblem> problem =
        connection == null ? Optional.empty() : connection.opened.dial().problemOfSilence();
    disconnect();
    return problem.map(UpstreamProblem::text).orElse("");
  }

  @Override
  public void close() {
    giveUp();
    channels.close();
  }

  private void disconnect() {
    Connection ended = connection;
    connection = null;
    if (ended != null) {
      ended.opened.channel().shutdownNow();
    }
  }

  /** One connection with its Watch, for as long as tests pass on it. */
  private final class Connection {
    private final Opened opened;
    private @Nullable Consumer<Verdict> underWay;
    private boolean isWatching;
    private boolean isWatchUnimplemented;
    private boolean isCheckUnimplemented;

    /** What the Watch said last. */
    private @Nullable ServingStatus watched;

    Connection(Opened opened) {
      this.opened = opened;
    }

    void test(Consumer<Verdict> onVerdict) {
      underWay = onVerdict;
      if (!isWatching && !isWatchUnimplemented) {
        isWatching = true;
        watched = null;
        HealthGrpc.newStub(opened.channel()).watch(request, new Watch());
      }
      if (isCheckUnimplemented) {
        judgeByWatch();
      } else {
        HealthGrpc.newStub(opened.channel()).check(request, new Check());
      }
    }

    private void answer(Verdict verdict) {
      Consumer<Verdict> onVerdict = underWay;
      underWay = null;
      if (onVerdict != null) {
        onVerdict.accept(verdict);
      }
    }

    /** The connection is of no use any more. */
    private void fail(Status status) {
      String reason =
          opened.dial().problem().map(UpstreamProblem::text).orElseGet(() -> GrpcTexts.of(status));
      disconnect();
      answer(Verdict.failed(reason));
    }

    /** Waits for the Watch, if it has not answered yet. */
    private void judgeByWatch() {
      if (isWatchUnimplemented) {
        disconnect();
        answer(UNIMPLEMENTED);
      } else if (watched != null) {
        answer(verdict(watched));
      }
    }

    private void onCheckFailed(Status status) {
      switch (status.getCode()) {
        case UNIMPLEMENTED -> {
          isCheckUnimplemented = true;
          judgeByWatch();
        }
        case NOT_FOUND ->
            // The specification's answer for a service that is not known.
            answer(verdict(ServingStatus.SERVICE_UNKNOWN));
        default -> fail(status);
      }
    }

    private void onWatched(ServingStatus status) {
      watched = status;
      Verdict verdict = verdict(status);
      if (verdict.kind() == Verdict.Kind.NOT_SERVING) {
        listener.onNotServing(verdict.reason());
      }
      if (isCheckUnimplemented) {
        answer(verdict);
      }
    }

    private void onWatchEnded(Status status) {
      isWatching = false;
      if (status.getCode() == Code.UNIMPLEMENTED) {
        isWatchUnimplemented = true;
        if (isCheckUnimplemented) {
          judgeByWatch();
        }
      } else if (underWay == null) {
        listener.onLost();
      } else if (isCheckUnimplemented) {
        fail(status);
      }
    }

    /** gRPC calls back on the loop, but also on a thread that shuts a channel down. */
    private void onLoop(Runnable step) {
      control
          .eventLoop()
          .execute(() -> {
            if (connection == this) {
              step.run();
            }
          });
    }

    private final class Check implements StreamObserver<HealthCheckResponse> {
      @Override
      public void onNext(HealthCheckResponse response) {
        onLoop(() -> answer(verdict(response.getStatus())));
      }

      @Override
      public void onError(Throwable failure) {
        onLoop(() -> onCheckFailed(Status.fromThrowable(failure)));
      }

      @Override
      public void onCompleted() {}
    }

    private final class Watch implements StreamObserver<HealthCheckResponse> {
      @Override
      public void onNext(HealthCheckResponse response) {
        onLoop(() -> onWatched(response.getStatus()));
      }

      @Override
      public void onError(Throwable failure) {
        onLoop(() -> onWatchEnded(Status.fromThrowable(failure)));
      }

      @Override
      public void onCompleted() {
        onLoop(() -> onWatchEnded(Status.OK));
      }
    }
  }

  private Verdict verdict(ServingStatus status) {
    String service = request.getService();
    String forService = service.isEmpty() ? "" : " for service '" + service + "'";
    return switch (status) {
      case SERVING -> Verdict.PASSED;
      case NOT_SERVING -> Verdict.notServing("its health service reports NOT_SERVING" + forService);
      case SERVICE_UNKNOWN ->
          Verdict.failed("its health service does not know service '" + service + "'");
      case UNKNOWN, UNRECOGNIZED ->
          Verdict.failed("its health service reports UNKNOWN" + forService);
    };
  }
}
