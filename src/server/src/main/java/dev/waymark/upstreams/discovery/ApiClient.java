package dev.waymark.upstreams.discovery;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonParseException;
import dev.waymark.config.ClusterAccess;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.dial.TlsFailures;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.net.tls.ServerTrust;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Asks an API server of Kubernetes for the EndpointSlices of one service. In a pod it is the
 * cluster's, over TLS and with the token of the service account; otherwise one that the target
 * names, over plain HTTP and without a token, as {@code kubectl proxy} serves it.
 *
 * <p>Used by one thread at a time, which it blocks; {@link #close} by any thread, which ends that.
 */
final class ApiClient implements AutoCloseable {
  static final int PAGE_BYTES_MAX = 16 * 1024 * 1024;
  static final int EVENT_BYTES_MAX = 1024 * 1024;
  private static final int PAGE_SLICES = 500;
  private static final int ERROR_BYTES_MAX = 64 * 1024;
  private static final int TOKEN_BYTES_MAX = 64 * 1024;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  private static final int OK = 200;
  private static final int UNAUTHORIZED = 401;
  private static final int FORBIDDEN = 403;
  private static final int GONE = 410;

  private static final String NOT_IN_A_POD =
      "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not name an API server, so this is no"
          + " pod; name one in the target, as `kubectl proxy` serves it: k8s://127.0.0.1:8001/";

  private final Target.Kubernetes target;
  private final Optional<ClusterAccess> access;
  private final SliceJson json;
  private volatile @Nullable HttpClient opened;
  private volatile boolean isClosed;

  /**
   * @param cluster in which the bridge runs; used if the target names no server
   */
  ApiClient(Target.Kubernetes target, Optional<ClusterAccess> cluster) {
    this.target = target;
    this.access = target.server().isEmpty() ? cluster : Optional.empty();
    this.json = new SliceJson(target.port());
  }

  /**
   * Returns a page of the list.
   *
   * @param from as in {@link SlicePage#next}; empty for the first one
   */
  SlicePage list(String from) throws ApiException {
    String query = "limit=" + PAGE_SLICES;
    byte[] body;
    try (InputStream in = get(from.isEmpty() ? query : query + "&continue=" + encoded(from))) {
      body = in.readNBytes(PAGE_BYTES_MAX + 1);
    } catch (IOException lost) {
      throw failed("the answer broke off: " + messageOf(lost));
    }
    if (body.length > PAGE_BYTES_MAX) {
      throw failed("a page of the list is larger than " + PAGE_BYTES_MAX / 1024 / 1024 + " MiB");
    }
    try {
      return json.page(body);
    } catch (JsonParseException notAList) {
      throw failed("the answer is no list of EndpointSlices: " + messageOf(notAList));
    }
  }

  /**
   * Opens a watch for what happened since that version.
   *
   * @param seconds when the server is to end it
   */
  Watch watch(String version, int seconds) throws ApiException {
    return new Watch(
        get(
            "watch=true&allowWatchBookmarks=true&resourceVersion="
                + encoded(version)
                + "&timeoutSeconds="
                + seconds));
  }

  /** The events of a watch, as they come. */
  final class Watch implements AutoCloseable {
    private final LineStream lines;

    private Watch(InputStream in) {
      this.lines = new LineStream(in, EVENT_BYTES_MAX);
    }

    /** Returns the next event; empty if the server has ended the watch. */
    Optional<WatchEvent> next() throws ApiException {
      Optional<byte[]> line;
      try {
        line = lines.next();
      } catch (IOException lost) {
        throw ApiException.broken("the watch broke off: " + messageOf(lost));
      }
      if (line.isEmpty()) {
        return Optional.empty();
      }
      if (line.get().length > EVENT_BYTES_MAX) {
        throw failed("an event is larger than " + EVENT_BYTES_MAX / 1024 / 1024 + " MiB");
      }
      try {
        return Optional.of(json.event(line.get()));
      } catch (JsonParseException notAnEvent) {
        throw failed("a line of the watch is no event: " + messageOf(notAnEvent));
      }
    }

    @Override
    public void close() {
      try {
        lines.close();
      } catch (IOException alreadyLost) {
        // Closed is what it should be.
      }
    }
  }

  /** Ends the request under way, and all later ones. */
  @Override
  public void close() {
    isClosed = true;
    HttpClient open = opened;
    if (open != null) {
      open.shutdownNow();
    }
  }

  // --- HTTP ---

  private InputStream get(String query) throws ApiException {
    HttpRequest request = request(query);
    HttpResponse<InputStream> response;
    try {
      response = client().send(request, BodyHandlers.ofInputStream());
    } catch (SSLException refused) {
      throw failed(TlsFailures.problemOf(refused).text());
    } catch (IOException failure) {
      throw failed(reason(failure));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw failed("interrupted");
    }
    if (response.statusCode() != OK) {
      throw refusal(response);
    }
    return response.body();
  }

  private HttpRequest request(String query) throws ApiException {
    if (target.server().isEmpty() && access.isEmpty()) {
      throw ApiException.failed(NOT_IN_A_POD);
    }
    String url =
        (access.isPresent() ? "https://" : "http://")
            + server()
            + "/apis/discovery.k8s.io/v1/namespaces/"
            + target.namespace()
            + "/endpointslices?labelSelector="
            + encoded("kubernetes.io/service-name=" + target.service())
            + "&"
            + query;
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(url))
              .header("Accept", "application/json")
              .header("User-Agent", "waymark");
      if (access.isPresent()) {
        // Read for every request, because Kubernetes replaces it.
        request.header("Authorization", "Bearer " + token(access.get().token()));
      }
      return request.build();
    } catch (IllegalArgumentException notAUrl) {
      throw failed("not an address for HTTP; use another name or address of the server");
    }
  }

  private static String token(Path file) throws ApiException {
    byte[] text;
    try (InputStream in = Files.newInputStream(file)) {
      text = in.readNBytes(TOKEN_BYTES_MAX);
    } catch (IOException unreadable) {
      throw unusable(file, unreadable);
    }
    String token = new String(text, US_ASCII).strip();
    if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw ApiException.failed(file + ": is not a token");
    }
    return token;
  }

  private HttpClient client() throws ApiException {
    HttpClient known = opened;
    if (known != null) {
      return known;
    }
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            // A watch is a connection of its own, which can be broken off.
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT);
    if (access.isPresent()) {
      builder.sslContext(trust(access.get().ca()));
    }
    HttpClient client = builder.build();
    opened = client;
    if (isClosed) {
      client.shutdownNow();
    }
    return client;
  }

  private static SSLContext trust(Path ca) throws ApiException {
    try {
      return ServerTrust.context(ca, false);
    } catch (IOException | GeneralSecurityException unreadable) {
      throw unusable(ca, unreadable);
    }
  }

  /** The server that it asks, host:port; empty if there is none. */
  String server() {
    return access.map(cluster -> cluster.server().text()).orElse(target.server());
  }

  private static String encoded(String value) {
    return URLEncoder.encode(value, UTF_8);
  }

  // --- failures ---

  private ApiException refusal(HttpResponse<InputStream> response) {
    byte[] body;
    try (InputStream in = response.body()) {
      body = in.readNBytes(ERROR_BYTES_MAX);
    } catch (IOException lost) {
      body = new byte[0];
    }
    int status = response.statusCode();
    String message = SliceJson.statusMessage(body);
    String more = message.isEmpty() ? "" : ": " + message;
    return switch (status) {
      case GONE -> ApiException.expired("the version is gone" + more);
      case UNAUTHORIZED ->
          failed(
              Kind.KUBERNETES_DENIED,
              access
                  .map(cluster -> "does not accept the token in " + cluster.token() + " (401)")
                  .orElse("wants credentials, which are sent in a pod only (401)"));
      case FORBIDDEN ->
          failed(
              Kind.KUBERNETES_DENIED,
              "access denied (403): allow the service account get, list and watch of endpointslices"
                  + " in discovery.k8s.io, in namespace "
                  + target.namespace()
                  + more);
      default -> failed("answers with HTTP status " + status + more);
    };
  }

  private ApiException failed(String text) {
    return failed(Kind.KUBERNETES_FAILED, text);
  }

  private ApiException failed(Kind kind, String text) {
    return ApiException.failed(kind, "API server " + server() + ": " + text);
  }

  private static ApiException unusable(Path file, Exception failure) {
    return ApiException.failed(
        failure instanceof NoSuchFileException
            ? file + ": no such file; the pod needs automountServiceAccountToken: true"
            : file + ": cannot be used: " + messageOf(failure));
  }

  private static String reason(IOException failure) {
    if (failure instanceof HttpConnectTimeoutException) {
      return "connect timed out: no answer; packets may be dropped on the way";
    }
    if (!(failure instanceof ConnectException)) {
      return "no answer: " + messageOf(failure);
    }
    // Of a refused connection, the client keeps no message.
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return "unknown host; the name resolves to no address";
      }
      if (cause.getMessage() != null) {
        return "cannot connect: " + cause.getMessage();
      }
    }
    return "connection refused: nothing is listening there";
  }

  private static String messageOf(Exception failure) {
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }
}
