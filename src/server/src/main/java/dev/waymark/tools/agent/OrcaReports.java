package dev.waymark.tools.agent;

import com.google.protobuf.Duration;
import dev.waymark.registry.LoadReport;
import dev.waymark.tools.agent.ServiceChannels.Opened;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.xds.data.orca.v3.OrcaLoadReport;
import dev.waymark.xds.service.orca.v3.OpenRcaServiceGrpc;
import dev.waymark.xds.service.orca.v3.OrcaLoadReportRequest;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Follows the load that a service reports out of band (gRFC A51), retrying for ever. Confined to
 * the agent's loop.
 */
final class OrcaReports {
  private static final long INTERVAL_S = 5;
  private static final java.time.Duration RETRY_MIN = java.time.Duration.ofSeconds(1);
  private static final java.time.Duration RETRY_MAX = java.time.Duration.ofSeconds(30);

  /** A service may send more often than asked for; those reports are dropped. */
  private static final long PERIOD_MIN_NS = TimeUnit.SECONDS.toNanos(1);

  /** Beyond that, numbers are a mistake. */
  private static final double UTILISATION_MAX = 100;

  private static final double RATE_MAX = 1e12;

  private final ControlLoop control;
  private final ServiceChannels channels;
  private final RetryWaits waits;
  private final Consumer<LoadReport> onLoad;
  private final Consumer<String> onProblem;
  private @Nullable Call current;
  private @Nullable ScheduledFuture<?> nextCall;

  /** Callbacks of what was stopped are ignored. */
  private long starts;

  /**
   * @param onLoad receives each report
   * @param onProblem receives why there are none; empty once there are
   */
  OrcaReports(
      ControlLoop control,
      ServiceChannels channels,
      RandomGenerator random,
      Consumer<LoadReport> onLoad,
      Consumer<String> onProblem) {
    this.control = control;
    this.channels = channels;
    this.waits = new RetryWaits(RETRY_MIN, RETRY_MAX, random);
    this.onLoad = onLoad;
    this.onProblem = onProblem;
  }

  /** Begins to follow the reports. */
  void start() {
    long start = ++starts;
    channels.open(
        opened -> {
          if (start == starts) {
            current = new Call(opened);
            current.begin();
          } else {
            opened.channel().shutdownNow();
          }
        },
        reason -> {
          if (start == starts) {
            broken(reason);
          }
        });
  }

  /** Follows them no longer; they may be started again. */
  void stop() {
    starts++;
    if (nextCall != null) {
      nextCall.cancel(false);
    }
    if (current != null) {
      current.opened.channel().shutdownNow();
      current = null;
    }
  }

  void close() {
    stop();
    channels.close();
  }

  private void broken(String reason) {
    stop();
    onProblem.accept(reason);
    nextCall = control.eventLoop().schedule(this::start, waits.nextMs(), TimeUnit.MILLISECONDS);
  }

  static LoadReport load(OrcaLoadReport said) {
    double application = said.getApplicationUtilization();
    return new LoadReport(
        clamp(application > 0 ? application : said.getCpuUtilization(), UTILISATION_MAX),
        0,
        0,
        clamp(said.getMemUtilization(), 1),
        clamp(said.getRpsFractional(), RATE_MAX),
        clamp(said.getEps(), RATE_MAX));
  }

  /** A number that is not one is unknown. */
  private static double clamp(double number, double max) {
    return number > 0 ? Math.min(number, max) : 0;
  }

  private final class Call
      implements ClientResponseObserver<OrcaLoadReportRequest, OrcaLoadReport> {
    private final Opened opened;
    private @Nullable ClientCallStreamObserver<OrcaLoadReportRequest> stream;
    private boolean hasReported;
    private long reportedNs;

    Call(Opened opened) {
      this.opened = opened;
    }

    void begin() {
      OpenRcaServiceGrpc.newStub(opened.channel())
          .streamCoreMetrics(
              OrcaLoadReportRequest.newBuilder()
                  .setReportInterval(Duration.newBuilder().setSeconds(INTERVAL_S))
                  .build(),
              this);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<OrcaLoadReportRequest> call) {
      stream = call;
      call.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(OrcaLoadReport report) {
      onLoop(() -> {
        long nowNs = control.time().nowNs();
        if (!hasReported || nowNs - reportedNs >= PERIOD_MIN_NS) {
          hasReported = true;
          reportedNs = nowNs;
          waits.reset();
          onProblem.accept("");
          onLoad.accept(load(report));
        }
        if (stream != null) {
          stream.request(1);
        }
      });
    }

    @Override
    public void onError(Throwable failure) {
      onLoop(() -> broken(GrpcTexts.of(Status.fromThrowable(failure))));
    }

    @Override
    public void onCompleted() {
      onLoop(() -> broken("the service ended its reports"));
    }

    private void onLoop(Runnable step) {
      control
          .eventLoop()
          .execute(() -> {
            if (current == this) {
              step.run();
            }
          });
    }
  }
}
