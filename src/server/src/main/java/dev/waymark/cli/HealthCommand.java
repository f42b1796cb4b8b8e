package dev.waymark.cli;

import dev.waymark.config.DurationText;
import dev.waymark.net.tls.Distrust;
import dev.waymark.net.tls.ServerTrust;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
  private static final Duration TIMEOUT_MAX = Duration.ofHours(1);

  /** RFC 9110, section 15.4.9. */
  private static final int PERMANENT_REDIRECT = 308;

  private static final int PORT_MAX = 65_535;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "URL", description = "For example, http://127.0.0.1:7080/readyz.")
  private String url;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      defaultValue = "2s",
      description = "Time to wait for the response (default: ${DEFAULT-VALUE}).")
  private String timeout;

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description =
          "With https: the CAs that the port's certificate may come from, as PEM (default: those of the JDK).")
  private @Nullable Path ca;

  @Option(
      names = "--insecure",
      description =
          "With https: accept any certificate, as for a check on the same host, which asks for 127.0.0.1.")
  private boolean isInsecure;

  /** For picocli, which sets the fields. */
  @SuppressWarnings("NullAway.Init")
  public HealthCommand() {}

  @Override
  public Integer call() {
    Duration limit = limit();
    HttpClient client =
        HttpClient.newBuilder().connectTimeout(limit).sslContext(sslContext()).build();
    try {
      int status =
          send(client, uri())
              .thenCompose(reply -> onceMoreWithTls(client, reply))
              .get(limit.toMillis(), TimeUnit.MILLISECONDS)
              .statusCode();
      return status / 100 == 2 ? 0 : failed("HTTP status " + status);
    } catch (TimeoutException e) {
      return failed("no answer within " + timeout);
    } catch (ExecutionException e) {
      return failed(
          switch (e.getCause()) {
            case ConnectException unknown when isUnresolved(unknown) ->
                "unknown host " + uri().getHost() + "; the name resolves to no address";
            case ConnectException refused -> "cannot connect: " + reason(refused);
            case NoRouteToHostException unreachable -> "cannot connect: " + reason(unreachable);
            case SSLException bad -> tlsProblem(bad);
            case IOException _ -> "the response is not HTTP; use the URL of an admin port";
            case null, default -> String.valueOf(e.getCause());
          });
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

  /** Searches the causes, because the client wraps the exception. */
  private static boolean isUnresolved(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
        return true;
      }
    }
    return false;
  }

  /** Of a refused connection, the client keeps no message. */
  private static String reason(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause.getMessage() != null) {
        return cause.getMessage();
      }
    }
    return "connection refused";
  }

  /** Java names the step of its validation that failed, not what the user can do. */
  private String tlsProblem(SSLException failure) {
    String text = String.valueOf(failure.getMessage());
    if (text.contains("No subject alternative") || text.contains("No name matching")) {
      return "its certificate is not for "
          + uri().getHost()
          + "; use a name of the certificate in the URL, or accept any certificate with --insecure";
    }
    return Distrust.in(failure)
        .map(why ->
            why == Distrust.EXPIRED
                ? "its certificate has expired; renew it, or accept any certificate with --insecure"
                : "its certificate is not signed by a CA that this command trusts; name the CA with"
                    + " --ca, or accept any certificate with --insecure")
        .orElse("TLS: " + text);
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

  private SSLContext sslContext() {
    if (ca != null && isInsecure) {
      throw refused("--ca and --insecure exclude each other; use only one of them");
    }
    try {
      return ServerTrust.context(ca, isInsecure);
    } catch (IOException | GeneralSecurityException unusable) {
      throw refused(
          "--ca: "
              + ca
              + ": "
              + (unusable instanceof NoSuchFileException ? "no such file" : unusable.getMessage())
              + " (expected: certificates as PEM)");
    }
  }

  private Duration limit() {
    Duration limit = DurationText.parse(timeout);
    if (limit == null || limit.isZero() || limit.compareTo(TIMEOUT_MAX) > 0) {
      throw refused(
          "--timeout: "
              + timeout
              + ": expected a duration above 0 and up to 1h, such as 500ms or 2s");
    }
    return limit;
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
