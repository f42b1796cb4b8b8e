package dev.waymark.cli;

import dev.waymark.tools.ctl.RequestFailure;
import java.io.PrintWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code waymark health URL}: a health check for images that have no curl. */
@Command(
    name = "health",
    description =
        "Requests URL; exit code 0 if the status is 2xx, 1 if not, 2 if the URL is not valid.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class HealthCommand implements Callable<Integer> {
  /** RFC 9110, section 15.4.9. */
  private static final int PERMANENT_REDIRECT = 308;

  private static final int PORT_MAX = 65_535;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "URL", description = "For example, http://127.0.0.1:7080/readyz.")
  private String url;

  @Mixin private final RequestFlags flags = new RequestFlags();

  /** For picocli, which sets the fields. */
  @SuppressWarnings("NullAway.Init")
  public HealthCommand() {}

  @Override
  public Integer call() {
    Duration limit = flags.limit();
    HttpClient client =
        HttpClient.newBuilder().connectTimeout(limit).sslContext(flags.sslContext()).build();
    try {
      int status =
          send(client, uri())
              .thenCompose(reply -> onceMoreWithTls(client, reply))
              .get(limit.toMillis(), TimeUnit.MILLISECONDS)
              .statusCode();
      return status / 100 == 2 ? 0 : failed("HTTP status " + status);
    } catch (TimeoutException e) {
      return failed("no answer within " + flags.timeoutText());
    } catch (ExecutionException e) {
      return failed(RequestFailure.text(e.getCause(), uri().getHost()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return failed("interrupted");
    } finally {
      client.shutdownNow();
    }
  }

  private static CompletableFuture<HttpResponse<Void>> send(HttpClient client, URI to) {
    return client.sendAsync(HttpRequest.newBuilder(to).build(), BodyHandlers.discarding());
  }

  /**
   * A port that speaks TLS says so to plain HTTP: an image's health check need not know whether it
   * does. No other redirection is followed.
   */
  private static CompletableFuture<HttpResponse<Void>> onceMoreWithTls(
      HttpClient client, HttpResponse<Void> reply) {
    String secure = reply.uri().toString().replaceFirst("^http:", "https:");
    boolean isSame = reply.headers().firstValue("Location").equals(Optional.of(secure));
    return reply.statusCode() == PERMANENT_REDIRECT && isSame
        ? send(client, URI.create(secure))
        : CompletableFuture.completedFuture(reply);
  }

  private URI uri() {
    try {
      URI uri = new URI(url);
      String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
      if (uri.getHost() != null
          && uri.getPort() <= PORT_MAX
          && (scheme.equals("http") || scheme.equals("https"))) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // Reported below, like any other text that is not a URL.
    }
    throw refused(
        "health: "
            + url
            + ": not a URL; expected http://HOST:PORT/PATH, such as http://127.0.0.1:7080/readyz");
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private int failed(String why) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("health: " + url + ": " + why);
    err.flush();
    return 1;
  }
}
