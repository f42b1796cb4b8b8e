package dev.waymark.tools.demo;

import com.google.gson.JsonParser;

/**
 * The number of requests of an upstream across restarts. Each of its processes counts only its own.
 * Thread-safe.
 */
final class RequestCount {
  private String process = "";
  private long earlier;
  private long latest;

  /** Called when a new process has become the upstream. */
  synchronized void onStarted(String newProcess) {
    earlier += latest;
    latest = 0;
    process = newProcess;
  }

  /**
   * Called with the response to /stats of a process. Ignored if another process has replaced it.
   *
   * @param stats the response, in JSON
   */
  synchronized void onStats(String from, String stats) {
    if (from.equals(process)) {
      latest = JsonParser.parseString(stats).getAsJsonObject().get("requests").getAsLong();
    }
  }

  synchronized long total() {
    return earlier + latest;
  }
}
