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
    write(who, client, method + " " + path, parameters, result);
  }

  /**
   * Writes a line about such a request that the sender may not make.
   *
   * @param target path and query, as they were sent
   */
  void refused(String who, String client, String method, String target, String result) {
    int query = target.indexOf('?');
    String parameters = query < 0 ? "" : target.substring(query + 1).replace('&', ' ');
    write(who, client, method + " " + path(target), parameters, result);
  }

  private void write(
      String who, String client, String operation, String parameters, String result) {
    log.write(
        Event.ADMIN_OPERATION,
        "who",
        who,
        "client",
        client,
        "operation",
        operation,
        "parameters",
        shortened(parameters),
        "result",
        shortened(result));
  }

  /** The path of a target, not too long for a log. */
  static String path(String target) {
    int query = target.indexOf('?');
    return shortened(query < 0 ? target : target.substring(0, query));
  }

  private static String shortened(String text) {
    return text.length() > CHARS_MAX ? text.substring(0, CHARS_MAX) + "…" : text;
  }
}
