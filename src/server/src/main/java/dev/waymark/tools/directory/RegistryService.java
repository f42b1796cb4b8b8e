package dev.waymark.tools.directory;

import dev.waymark.registry.Instance;
import dev.waymark.registry.table.Picker;
import dev.waymark.registry.wire.BadInstanceException;
import dev.waymark.registry.wire.InstanceReader;
import dev.waymark.registry.wire.InstanceWriter;
import dev.waymark.v1.DiscoverRequest;
import dev.waymark.v1.DiscoverResponse;
import dev.waymark.v1.DiscoverTopRequest;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import dev.waymark.v1.RegistryGrpc;
import dev.waymark.v1.WatchRequest;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.function.LongSupplier;

/** The service {@code waymark.v1.Registry}. Confined to the directory's loop. */
final class RegistryService {
  private static final int DISCOVER_MAX = 1_000;

  private final Registrations registrations;
  private final Watchers watchers;
  private final Picker picker;
  private final LongSupplier nowNs;

  RegistryService(
      Registrations registrations, Watchers watchers, Picker picker, LongSupplier nowNs) {
    this.registrations = registrations;
    this.watchers = watchers;
    this.picker = picker;
    this.nowNs = nowNs;
  }

  /** What a gRPC server serves. */
  ServerServiceDefinition definition() {
    ServiceDescriptor generated = RegistryGrpc.getServiceDescriptor();
    ServiceDescriptor descriptor =
        ServiceDescriptor.newBuilder(generated.getName())
            .setSchemaDescriptor(generated.getSchemaDescriptor())
            .addMethod(RegistryGrpc.getRegisterMethod())
            .addMethod(WatchMethod.DESCRIPTOR)
            .addMethod(RegistryGrpc.getDiscoverMethod())
            .addMethod(RegistryGrpc.getDiscoverTopMethod())
            .build();
    return ServerServiceDefinition.builder(descriptor)
        .addMethod(
            RegistryGrpc.getRegisterMethod(), ServerCalls.asyncBidiStreamingCall(this::register))
        .addMethod(WatchMethod.DESCRIPTOR, ServerCalls.asyncServerStreamingCall(this::watch))
        .addMethod(RegistryGrpc.getDiscoverMethod(), ServerCalls.asyncUnaryCall(this::discover))
        .addMethod(
            RegistryGrpc.getDiscoverTopMethod(), ServerCalls.asyncUnaryCall(this::discoverTop))
        .build();
  }

  private StreamObserver<RegisterRequest> register(StreamObserver<RegisterResponse> answers) {
    return registrations.open((ServerCallStreamObserver<RegisterResponse>) answers);
  }

  private void watch(WatchRequest request, StreamObserver<byte[]> responses) {
    watchers.open(request, (ServerCallStreamObserver<byte[]>) responses);
  }

  private void discover(DiscoverRequest request, StreamObserver<DiscoverResponse> answer) {
    answer(answer, () -> picker.some(service(request.getService()), max(request.getMax())));
  }

  private void discoverTop(DiscoverTopRequest request, StreamObserver<DiscoverResponse> answer) {
    answer(
        answer,
        () -> picker.top(service(request.getService()), max(request.getMax()), nowNs.getAsLong()));
  }

  private interface Question {
    List<Instance> answer() throws StatusException;
  }

  private static void answer(StreamObserver<DiscoverResponse> to, Question question) {
    try {
      if (!Caller.current().mayRead()) {
        throw denied();
      }
      DiscoverResponse.Builder response = DiscoverResponse.newBuilder();
      question.answer().forEach(instance -> response.addInstances(InstanceWriter.write(instance)));
      to.onNext(response.build());
      to.onCompleted();
    } catch (StatusException refused) {
      to.onError(refused);
    }
  }

  /** The refusal of a caller that may not read. */
  static StatusException denied() {
    return Status.PERMISSION_DENIED
        .withDescription(Caller.current().name() + " does not have the role read")
        .asException();
  }

  private static int max(int asked) throws StatusException {
    if (asked < 0 || asked > DISCOVER_MAX) {
      throw Status.INVALID_ARGUMENT
          .withDescription(
              "max: " + Integer.toUnsignedString(asked) + " (expected: 0 to " + DISCOVER_MAX + ")")
          .asException();
    }
    return Math.max(1, asked);
  }

  private static String service(String name) throws StatusException {
    try {
      return InstanceReader.service(name);
    } catch (BadInstanceException bad) {
      throw Status.INVALID_ARGUMENT.withDescription(bad.reason()).asException();
    }
  }
}
