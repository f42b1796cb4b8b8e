package dev.waymark.api.http;

import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes who did what, or was not allowed to, through an HTTP port. Thread-safe. */
public record AuditLog(EventLog log) {
  /** Longer parameters and results are cut. */
  private static final int CHARS_MAX = 200;

  /**
   * Writes a line about a request that changes something.
   *
   * @param who the sender's name, never a token
   * @param client the other end of its connection, host:port
   * @param query its parameters
   * @param result the status of the reply, and why if it is an error
   */
  public void write(
      String who,
      String client,
      String method,
      String path,
      Map<String, String> query,
      String result) {
    String parameters =
        query.entrySet().stream()
            .map(parameter -> parameter.getKey() + "=" + parameter.getValue())
            .collect(Collectors.joining(" "));
    log.write(
        Event.ADMIN_OPERATION,
        "who",
        who,
        "client",
        client,
        "operation",
        method + " " + shortened(path),
        "parameters",
        shortened(parameters),
        "result",
        shortened(result));
  }

  private static String shortened(String text) {
    return text.length() > CHARS_MAX ? text.substring(0, CHARS_MAX) + "…" : text;
  }
}
