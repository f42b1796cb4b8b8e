package dev.waymark.tools.directory;

import dev.waymark.v1.RegistryGrpc;
import dev.waymark.v1.WatchRequest;
import dev.waymark.v1.WatchResponse;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.InputStream;

/** {@code Watch} with responses as bytes: each is encoded once, however many watchers get it. */
final class WatchMethod {
  static final MethodDescriptor<WatchRequest, byte[]> DESCRIPTOR =
      RegistryGrpc.getWatchMethod().toBuilder(
              RegistryGrpc.getWatchMethod().getRequestMarshaller(), new Bytes())
          .build();

  private WatchMethod() {}

  /** A message is not copied before it is framed; gRPC asks for its length. */
  private static final class Encoded extends ByteArrayInputStream implements KnownLength {
    Encoded(byte[] message) {
      super(message);
    }
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] message) {
      return new Encoded(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("a server does not read its own responses");
    }
  }

  /** The message as bytes. */
  static byte[] encode(WatchResponse.Builder message) {
    return message.build().toByteArray();
  }
}
