package dev.waymark.api.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.Map;

/** What an HTTP port answers. The body is not to be changed. */
public record Reply(int status, String contentType, byte[] body) {
  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          .serializeSpecialFloatingPointValues()
          .setPrettyPrinting()
          .create();

  /** Records, maps, lists and plain values as JSON; the names of components are the fields. */
  public static Reply json(int status, Object value) {
    return new Reply(
        status, "application/json; charset=utf-8", (GSON.toJson(value) + "\n").getBytes(UTF_8));
  }

  /** {@code {"error": …}}. */
  public static Reply error(int status, String error) {
    return json(status, Map.of("error", error));
  }

  /** Plain text. */
  public static Reply text(String text) {
    return new Reply(200, "text/plain; charset=utf-8", text.getBytes(UTF_8));
  }
}
