package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The HTTP port of a bridge or a stub. */
public record AdminPort(String address) {
  private static final int TIMEOUT_MS = 20_000;
  private static final int CONNECTIONS_MAX = 10_000;

  private record Response(int status, String body) {}

  public int status(String path) {
    return send("GET", path).status();
  }

  public String get(String path) {
    return success("GET", path);
  }

  /** Sends a body with POST and returns the response as JSON. */
  JsonObject post(String path, String body) {
    Response response = send("POST", path, body.getBytes(StandardCharsets.ISO_8859_1));
    assertThat(response.status()).as("POST %s: %s", path, response.body()).isEqualTo(200);
    return JsonParser.parseString(response.body()).getAsJsonObject();
  }

  public String post(String path) {
    return success("POST", path);
  }

  int postStatus(String path) {
    return send("POST", path).status();
  }

  /** Sends a POST that must fail with this status, and returns the response's body. */
  String refusal(int status, String path) {
    Response response = send("POST", path);
    assertThat(response.status()).as("POST %s: %s", path, response.body()).isEqualTo(status);
    return response.body();
  }

  /** Returns the marks of the open connections. */
  public List<String> marks() {
    return connections().map(connection -> connection.get("mark").getAsString()).toList();
  }

  /** Returns the epochs of a stub's connections, by mark: how often each was opened before. */
  public Map<String, Integer> epochs() {
    return connections()
        .collect(
            Collectors.toMap(
                connection -> connection.get("mark").getAsString(),
                connection -> connection.get("epoch").getAsInt()));
  }

  /** Returns the open connection of this client, as the bridge reports it. */
  public JsonObject connectionOf(String clientAddress) {
    return connections()
        .filter(connection -> connection.get("client").getAsString().equals(clientAddress))
        .findFirst()
        .orElseThrow();
  }

  /** Returns the mark of this client's connection. */
  public String markOf(String clientAddress) {
    return connectionOf(clientAddress).get("mark").getAsString();
  }

  private Stream<JsonObject> connections() {
    JsonArray all =
        JsonParser.parseString(get("/connections?limit=" + CONNECTIONS_MAX))
            .getAsJsonObject()
            .getAsJsonArray("connections");
    return all.asList().stream().map(JsonElement::getAsJsonObject);
  }

  /**
   * Returns the sum of all series with this name and all of these labels, each written as {@code
   * reason="done"}.
   */
  public long metric(String name, String... labels) {
    return (long)
        get("/metrics")
            .lines()
            .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
            .filter(line -> List.of(labels).stream().allMatch(line::contains))
            .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
            .sum();
  }

  private String success(String method, String path) {
    Response response = send(method, path);
    assertThat(response.status()).as("%s %s: %s", method, path, response.body()).isEqualTo(200);
    return response.body();
  }

  private Response send(String method, String path) {
    return send(method, path, new byte[0]);
  }

  private Response send(String method, String path, byte[] body) {
    try {
      var connection =
          (HttpURLConnection) URI.create("http://" + address + path).toURL().openConnection();
      connection.setRequestMethod(method);
      connection.setConnectTimeout(TIMEOUT_MS);
      connection.setReadTimeout(TIMEOUT_MS);
      if (body.length > 0) {
        connection.setDoOutput(true);
        connection.getOutputStream().write(body);
      }
      int status = connection.getResponseCode();
      try (var response =
          status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
        return new Response(
            status,
            response == null ? "" : new String(response.readAllBytes(), StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(method + " " + path, e);
    }
  }
}
