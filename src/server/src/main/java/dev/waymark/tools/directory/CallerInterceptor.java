package dev.waymark.tools.directory;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds out who makes a call, and ends calls of strangers. Thread-safe. */
record CallerInterceptor(Access access, DirectoryCounters counters) implements ServerInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Optional<Caller> caller =
        access.caller(
            headers.get(AUTHORIZATION),
            call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION),
            text(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR)));
    if (caller.isEmpty()) {
      counters.denied.increment();
      call.close(
          Status.UNAUTHENTICATED.withDescription(
              "the directory needs a known token (authorization: Bearer TOKEN) or client certificate"),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
    return Contexts.interceptCall(
        Context.current().withValue(Caller.KEY, caller.get()), call, headers, next);
  }

  private static String text(@Nullable SocketAddress address) {
    return address instanceof InetSocketAddress inet
        ? io.netty.util.NetUtil.toSocketAddressString(inet)
        : String.valueOf(address);
  }
}
