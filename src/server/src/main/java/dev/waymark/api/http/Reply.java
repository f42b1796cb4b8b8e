package dev.waymark.api.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.Map;

/** A response of an HTTP port. The body must not be modified. */
public record Reply(int status, String contentType, byte[] body) {
  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          .serializeSpecialFloatingPointValues()
          .setPrettyPrinting()
          .create();

  /** A record, map, list or plain value as JSON; component names are the field names. */
  public static Reply json(int status, Object value) {
    return new Reply(
        status, "application/json; charset=utf-8", (GSON.toJson(value) + "\n").getBytes(UTF_8));
  }

  /** The JSON object {@code {"error": …}}. */
  public static Reply error(int status, String error) {
    return json(status, Map.of("error", error));
  }

  /** Plain text with status 200. */
  public static Reply text(String text) {
    return new Reply(200, "text/plain; charset=utf-8", text.getBytes(UTF_8));
  }
}
