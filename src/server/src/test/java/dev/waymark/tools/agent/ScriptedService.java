package dev.waymark.tools.agent;

import dev.waymark.xds.data.orca.v3.OrcaLoadReport;
import dev.waymark.xds.service.orca.v3.OpenRcaServiceGrpc;
import dev.waymark.xds.service.orca.v3.OrcaLoadReportRequest;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A gRPC server whose health service, and load reports, do as the test says. Thread-safe. */
final class ScriptedService implements AutoCloseable {
  private final Server server;
  private final List<StreamObserver<HealthCheckResponse>> watchers = new CopyOnWriteArrayList<>();
  private final List<StreamObserver<OrcaLoadReport>> reports = new CopyOnWriteArrayList<>();
  private final boolean hasWatch;
  private final boolean hasCheck;
  private volatile ServingStatus status = ServingStatus.SERVING;
  private volatile int checks;

  private ScriptedService(int port, boolean hasWatch, boolean hasCheck) throws IOException {
    this.hasWatch = hasWatch;
    this.hasCheck = hasCheck;
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            .addService(new Health())
            .addService(new Load())
            .build()
            .start();
  }

  /** One with Watch and Check, SERVING. */
  static ScriptedService start() throws IOException {
    return new ScriptedService(0, true, true);
  }

  static ScriptedService with(boolean hasWatch, boolean hasCheck) throws IOException {
    return new ScriptedService(0, hasWatch, hasCheck);
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  /** How often it was asked by Check. */
  int checks() {
    return checks;
  }

  int watchers() {
    return watchers.size();
  }

  void say(ServingStatus now) {
    status = now;
    watchers.forEach(watcher -> watcher.onNext(response()));
  }

  /** Ends all Watches, and goes on serving. */
  void endWatches() {
    watchers.forEach(watcher -> watcher.onError(Status.UNAVAILABLE.asException()));
    watchers.clear();
  }

  /** Sends a load report to everybody who asked for it. */
  void report(double utilisation) {
    reports.forEach(
        to -> to.onNext(OrcaLoadReport.newBuilder().setCpuUtilization(utilisation).build()));
  }

  int loadWatchers() {
    return reports.size();
  }

  private HealthCheckResponse response() {
    return HealthCheckResponse.newBuilder().setStatus(status).build();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  /** What is not overridden is UNIMPLEMENTED. */
  private final class Health extends HealthGrpc.HealthImplBase {
    @Override
    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> responses) {
      if (!hasCheck) {
        super.check(request, responses);
        return;
      }
      checks++;
      responses.onNext(response());
      responses.onCompleted();
    }

    @Override
    public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> responses) {
      if (!hasWatch) {
        super.watch(request, responses);
        return;
      }
      responses.onNext(response());
      watchers.add(responses);
    }
  }

  private final class Load extends OpenRcaServiceGrpc.OpenRcaServiceImplBase {
    @Override
    public void streamCoreMetrics(
        OrcaLoadReportRequest request, StreamObserver<OrcaLoadReport> responses) {
      reports.add(responses);
    }
  }
}
