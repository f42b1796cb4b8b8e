package dev.waymark.tools.directory;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Ends calls of those who may not read; behind a {@link CallerInterceptor}. Thread-safe. */
final class ReaderInterceptor implements ServerInterceptor {
  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (Caller.current().mayRead()) {
      return next.startCall(call, headers);
    }
    call.close(RegistryService.denied().getStatus(), new Metadata());
    return new ServerCall.Listener<>() {};
  }
}
