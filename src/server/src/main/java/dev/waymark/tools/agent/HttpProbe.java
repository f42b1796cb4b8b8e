package dev.waymark.tools.agent;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code http:}: whether a GET is answered with a status from 200 to 399. */
final class HttpProbe implements Probe {
  private static final int OK_MIN = 200;
  private static final int OK_MAX = 399;

  private final HttpClient client;
  private final HttpRequest request;
  private final Executor loop;

  /** Late answers to former tests are ignored. */
  private long tests;

  private @Nullable CompletableFuture<HttpResponse<Void>> underWay;

  /**
   * @param client follows no redirections; not closed here
   */
  HttpProbe(HttpClient client, URI url, Executor loop) {
    this.client = client;
    this.request = HttpRequest.newBuilder(url).header("User-Agent", "waymark-agent").GET().build();
    this.loop = loop;
  }

  @Override
  public void start(Consumer<Verdict> onVerdict) {
    long test = ++tests;
    underWay = client.sendAsync(request, BodyHandlers.discarding());
    var _ =
        underWay.handleAsync(
            (response, failure) -> {
              if (test == tests) {
                underWay = null;
                onVerdict.accept(verdict(response, failure));
              }
              return true;
            },
            loop);
  }

  private Verdict verdict(@Nullable HttpResponse<Void> response, @Nullable Throwable failure) {
    if (response == null) {
      return Verdict.failed(failure == null ? "no response" : reason(failure));
    }
    int status = response.statusCode();
    return status >= OK_MIN && status <= OK_MAX
        ? Verdict.PASSED
        : Verdict.failed("HTTP status " + status);
  }

  /** The client wraps exceptions, and keeps no message of a refused connection. */
  private String reason(Throwable failure) {
    String connect = "";
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
        return "unknown host " + request.uri().getHost() + "; the name resolves to no address";
      }
      if (cause instanceof ConnectException) {
        connect = "cannot connect: connection refused";
      }
      if (cause instanceof IOException && cause.getMessage() != null) {
        return (connect.isEmpty() ? "" : "cannot connect: ") + cause.getMessage();
      }
    }
    return connect.isEmpty() ? String.valueOf(failure.getMessage()) : connect;
  }

  @Override
  public String giveUp() {
    tests++;
    if (underWay != null) {
      underWay.cancel(true);
      underWay = null;
    }
    return "";
  }

  @Override
  public void close() {
    giveUp();
  }
}
