package dev.waymark.tools.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;

/** Asks admin ports. Thread-safe. */
public final class AdminClient implements AutoCloseable {
  private static final int BODY_BYTES_MAX = 64 * 1024 * 1024;
  private static final int UNAUTHORIZED = 401;

  /** RFC 9110, section 15.4.9. */
  private static final int PERMANENT_REDIRECT = 308;

  /** Answered without credentials, so no token is sent before the port is known to speak TLS. */
  private static final String OPEN_PATH = "/healthz";

  private final HttpClient client;
  private final Duration timeout;

  /**
   * @param trust whose certificates are accepted from ports that speak TLS
   * @param timeout for everything that one port is asked
   */
  public AdminClient(SSLContext trust, Duration timeout) {
    this.client = HttpClient.newBuilder().connectTimeout(timeout).sslContext(trust).build();
    this.timeout = timeout;
  }

  /** Asks a port for JSON at these paths. The stage always completes with an answer. */
  public CompletableFuture<Answer> ask(AdminAddress port, String... paths) {
    return withScheme(port)
        .thenCompose(base -> getAll(port, base, paths))
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionally(failure -> new Answer.Failed(problem(port, failure)));
  }

  private String problem(AdminAddress port, Throwable failure) {
    Throwable cause = failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
    return cause instanceof TimeoutException
        ? "no answer within " + Wording.time(timeout.toMillis())
        : RequestFailure.text(cause, port.base().getHost());
  }

  /** A port that speaks TLS says so to plain HTTP. No other redirection is followed. */
  private CompletableFuture<URI> withScheme(AdminAddress port) {
    URI probe = port.base().resolve(OPEN_PATH);
    String secure = probe.toString().replaceFirst("^http:", "https:");
    return client
        .sendAsync(HttpRequest.newBuilder(probe).build(), BodyHandlers.discarding())
        .thenApply(reply -> {
          boolean isSame = reply.headers().firstValue("Location").equals(Optional.of(secure));
          return reply.statusCode() == PERMANENT_REDIRECT && isSame
              ? URI.create(secure)
              : port.base();
        });
  }

  private CompletableFuture<Answer> getAll(AdminAddress port, URI base, String... paths) {
    List<CompletableFuture<HttpResponse<byte[]>>> replies = new ArrayList<>();
    for (String path : paths) {
      HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path));
      port.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
      replies.add(
          client.sendAsync(
              request.build(), BodyHandlers.limiting(BodyHandlers.ofByteArray(), BODY_BYTES_MAX)));
    }
    return CompletableFuture.allOf(replies.toArray(CompletableFuture[]::new))
        .thenApply(_ -> answer(port, replies.stream().map(CompletableFuture::join).toList()));
  }

  private static Answer answer(AdminAddress port, List<HttpResponse<byte[]>> replies) {
    List<JsonObject> bodies = new ArrayList<>();
    for (HttpResponse<byte[]> reply : replies) {
      Optional<JsonObject> body = json(reply.body());
      if (reply.statusCode() != 200) {
        return new Answer.Failed(refusal(port, reply.statusCode(), body));
      }
      if (body.isEmpty()) {
        return new Answer.Failed("the answer is not that of an admin port");
      }
      bodies.add(body.get());
    }
    return new Answer.Told(bodies);
  }

  private static String refusal(AdminAddress port, int status, Optional<JsonObject> body) {
    if (status == UNAUTHORIZED) {
      return port.token().isPresent()
          ? "it does not accept the token of " + port.tokenFlag()
          : "it wants a token; name the file that has it with " + port.tokenFlag();
    }
    String error = body.map(object -> new Fields(object).text("error")).orElse("");
    return error.isEmpty() ? "HTTP status " + status : error;
  }

  private static Optional<JsonObject> json(byte[] body) {
    try {
      return JsonParser.parseString(new String(body, UTF_8)) instanceof JsonObject object
          ? Optional.of(object)
          : Optional.empty();
    } catch (JsonParseException notJson) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
