package dev.waymark.cli.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks admin ports. Thread-safe. */
final class AdminClient implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

  /** The answer to GET. */
  String get(String url) throws IOException, InterruptedException {
    return ask(HttpRequest.newBuilder(URI.create(url)).timeout(TIMEOUT).build());
  }

  /** The answer to an empty POST. */
  String post(String url) throws IOException, InterruptedException {
    return ask(
        HttpRequest.newBuilder(URI.create(url))
            .timeout(TIMEOUT)
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
