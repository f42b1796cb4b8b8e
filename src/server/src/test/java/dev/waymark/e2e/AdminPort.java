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

  private record Answer(int status, String body) {}

  public int status(String path) {
    return ask("GET", path).status();
  }

  public String get(String path) {
    return success("GET", path);
  }

  /** Sends a body, and gives the answer as JSON. */
  JsonObject post(String path, String body) {
    Answer answer = ask("POST", path, body.getBytes(StandardCharsets.ISO_8859_1));
    assertThat(answer.status()).as("POST %s: %s", path, answer.body()).isEqualTo(200);
    return JsonParser.parseString(answer.body()).getAsJsonObject();
  }

  public String post(String path) {
    return success("POST", path);
  }

  int postStatus(String path) {
    return ask("POST", path).status();
  }

  /** The answer to a POST that is not granted. */
  String refusal(int status, String path) {
    Answer answer = ask("POST", path);
    assertThat(answer.status()).as("POST %s: %s", path, answer.body()).isEqualTo(status);
    return answer.body();
  }

  /** The marks of the connections open now. */
  public List<String> marks() {
    return connections().map(connection -> connection.get("mark").getAsString()).toList();
  }

  /** Of a stub's connections: how often each was opened before, by mark. */
  public Map<String, Integer> epochs() {
    return connections()
        .collect(
            Collectors.toMap(
                connection -> connection.get("mark").getAsString(),
                connection -> connection.get("epoch").getAsInt()));
  }

  /** The open connection of this client, as the bridge shows it. */
  public JsonObject connectionOf(String clientAddress) {
    return connections()
        .filter(connection -> connection.get("client").getAsString().equals(clientAddress))
        .findFirst()
        .orElseThrow();
  }

  /** The mark of the one connection of this client. */
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
   * The sum of the series of this name that have all of these labels, given as {@code
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
    Answer answer = ask(method, path);
    assertThat(answer.status()).as("%s %s: %s", method, path, answer.body()).isEqualTo(200);
    return answer.body();
  }

  private Answer ask(String method, String path) {
    return ask(method, path, new byte[0]);
  }

  private Answer ask(String method, String path, byte[] body) {
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
      try (var answer = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
        return new Answer(
            status,
            answer == null ? "" : new String(answer.readAllBytes(), StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(method + " " + path, e);
    }
  }
}
