package dev.waymark.protocol.codec;

import dev.waymark.v1.UpstreamGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import java.io.InputStream;

/** The Attach call, with batches instead of generated messages. Immutable, for any thread. */
public final class AttachMethod {
  private static final MethodDescriptor<OutboundBatch, InboundBatch> BRIDGE_SIDE =
      method(new Outbound(), new Inbound());
  private static final MethodDescriptor<InboundBatch, OutboundBatch> UPSTREAM_SIDE =
      method(new Inbound(), new Outbound());
  private static final ServiceDescriptor UPSTREAM_SERVICE =
      ServiceDescriptor.newBuilder(UpstreamGrpc.SERVICE_NAME)
          .setSchemaDescriptor(UpstreamGrpc.getServiceDescriptor().getSchemaDescriptor())
          .addMethod(UPSTREAM_SIDE)
          .build();

  private AttachMethod() {}

  /** For the client of the call. */
  public static MethodDescriptor<OutboundBatch, InboundBatch> bridgeSide() {
    return BRIDGE_SIDE;
  }

  /** For the server of the call. */
  public static MethodDescriptor<InboundBatch, OutboundBatch> upstreamSide() {
    return UPSTREAM_SIDE;
  }

  /**
   * The service with {@link #upstreamSide} as its only method; server reflection shows attach.proto
   * for it.
   */
  public static ServiceDescriptor upstreamService() {
    return UPSTREAM_SERVICE;
  }

  private static <Q, R> MethodDescriptor<Q, R> method(
      Marshaller<Q> requests, Marshaller<R> responses) {
    var generated = UpstreamGrpc.getAttachMethod();
    return MethodDescriptor.newBuilder(requests, responses)
        .setType(MethodType.BIDI_STREAMING)
        .setFullMethodName(generated.getFullMethodName())
        .setSchemaDescriptor(generated.getSchemaDescriptor())
        .build();
  }

  private static final class Outbound implements Marshaller<OutboundBatch> {
    @Override
    public InputStream stream(OutboundBatch batch) {
      return batch.toMessage();
    }

    @Override
    public OutboundBatch parse(InputStream message) {
      throw new IllegalStateException("this side of the method sends such batches and reads none");
    }
  }

  private static final class Inbound implements Marshaller<InboundBatch> {
    @Override
    public InputStream stream(InboundBatch batch) {
      throw new IllegalStateException("this side of the method reads such batches and sends none");
    }

    @Override
    public InboundBatch parse(InputStream message) {
      return InboundBatch.copyOf(message);
    }
  }
}
