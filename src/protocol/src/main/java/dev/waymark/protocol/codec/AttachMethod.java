package dev.waymark.protocol.codec;

import dev.waymark.v1.UpstreamGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import java.io.InputStream;

/**
 * The gRPC method Attach, with batches instead of generated messages. Immutable and thread-safe.
 */
public final class AttachMethod {
  private static final MethodDescriptor<InboundBatch, OutboundBatch> UPSTREAM_SIDE =
      MethodDescriptor.newBuilder(new Inbound(), new Outbound())
          .setType(MethodType.BIDI_STREAMING)
          .setFullMethodName(UpstreamGrpc.getAttachMethod().getFullMethodName())
          .setSchemaDescriptor(UpstreamGrpc.getAttachMethod().getSchemaDescriptor())
          .build();
  private static final ServiceDescriptor UPSTREAM_SERVICE =
      ServiceDescriptor.newBuilder(UpstreamGrpc.SERVICE_NAME)
          .setSchemaDescriptor(UpstreamGrpc.getServiceDescriptor().getSchemaDescriptor())
          .addMethod(UPSTREAM_SIDE)
          .build();

  private AttachMethod() {}

  /** The {@code :path} of its requests. */
  public static String path() {
    return "/" + UPSTREAM_SIDE.getFullMethodName();
  }

  /** The method as the server (the upstream) uses it. */
  public static MethodDescriptor<InboundBatch, OutboundBatch> upstreamSide() {
    return UPSTREAM_SIDE;
  }

  /**
   * The service, with {@link #upstreamSide} as its only method. Server reflection finds
   * attach.proto.
   */
  public static ServiceDescriptor upstreamService() {
    return UPSTREAM_SERVICE;
  }

  private static final class Outbound implements Marshaller<OutboundBatch> {
    @Override
    public InputStream stream(OutboundBatch batch) {
      return batch.toMessage();
    }

    @Override
    public OutboundBatch parse(InputStream message) {
      throw new IllegalStateException("this side only sends such batches");
    }
  }

  private static final class Inbound implements Marshaller<InboundBatch> {
    @Override
    public InputStream stream(InboundBatch batch) {
      throw new IllegalStateException("this side only receives such batches");
    }

    @Override
    public InboundBatch parse(InputStream message) {
      return InboundBatch.copyOf(message);
    }
  }
}
