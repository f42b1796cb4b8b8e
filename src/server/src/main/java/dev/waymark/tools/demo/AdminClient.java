package dev.waymark.tools.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** An HTTP client for admin ports. Thread-safe. */
final class AdminClient implements AutoCloseable {
  /** For figures, which are polled again soon. */
  private static final Duration GET_TIMEOUT = Duration.ofSeconds(2);

  /**
   * For commands, without which the demo cannot continue; long enough for a machine short of CPU.
   */
  private static final Duration POST_TIMEOUT = Duration.ofSeconds(20);

  private final HttpClient http = HttpClient.newHttpClient();

  /** Sends GET and returns the response body. */
  String get(String url) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(URI.create(url)).timeout(GET_TIMEOUT).build());
  }

  /** Sends an empty POST and returns the response body. */
  String post(String url) throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(URI.create(url))
            .timeout(POST_TIMEOUT)
            .POST(HttpRequest.BodyPublishers.noBody())
            .build());
  }

  private String send(HttpRequest request) throws IOException, InterruptedException {
    return http.send(request, BodyHandlers.ofString()).body();
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
