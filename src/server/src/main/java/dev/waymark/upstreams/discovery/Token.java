package dev.waymark.upstreams.discovery;

import dev.waymark.config.TokenFile;
import io.grpc.CallCredentials;
import io.grpc.Metadata;
import java.nio.file.Path;
import java.util.concurrent.Executor;

/** The bearer token for calls of a registry (RFC 6750), in a file. Immutable. */
record Token(Path file) {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /**
   * Reads the file, for one call.
   *
   * @throws dev.waymark.config.ConfigException naming the file and what is wrong with it
   */
  CallCredentials read() {
    String token = TokenFile.read(file);
    return new CallCredentials() {
      @Override
      public void applyRequestMetadata(
          RequestInfo request, Executor executor, MetadataApplier applier) {
        Metadata headers = new Metadata();
        headers.put(AUTHORIZATION, "Bearer " + token);
        applier.apply(headers);
      }
    };
  }
}
