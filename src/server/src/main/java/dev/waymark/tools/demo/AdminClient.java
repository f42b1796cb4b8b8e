package dev.waymark.tools.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks admin ports. Thread-safe. */
final class AdminClient implements AutoCloseable {
  /** For figures that are asked for again and again. */
  private static final Duration GET_TIMEOUT = Duration.ofSeconds(2);

  /** For orders, without which the demo cannot go on, on a machine that is short of processors. */
  private static final Duration POST_TIMEOUT = Duration.ofSeconds(20);

  private final HttpClient http = HttpClient.newHttpClient();

  /** The answer to GET. */
  String get(String url) throws IOException, InterruptedException {
    return ask(HttpRequest.newBuilder(URI.create(url)).timeout(GET_TIMEOUT).build());
  }

  /** The answer to an empty POST. */
  String post(String url) throws IOException, InterruptedException {
    return ask(
        HttpRequest.newBuilder(URI.create(url))
            .timeout(POST_TIMEOUT)
            .POST(HttpRequest.BodyPublishers.noBody())
            .build());
  }

  private String ask(HttpRequest request) throws IOException, InterruptedException {
    return http.send(request, BodyHandlers.ofString()).body();
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
