package dev.waymark.tools.demo;

import com.google.gson.JsonParser;

/**
 * How many requests an upstream has had, over all the processes that it was: each counts its own.
 * Thread-safe.
 */
final class RequestCount {
  private String process = "";
  private long earlier;
  private long latest;

  /** Another process is the upstream now. */
  synchronized void onStarted(String newProcess) {
    earlier += latest;
    latest = 0;
    process = newProcess;
  }

  /**
   * What a process answered to /stats; too late if there is another by now.
   *
   * @param stats JSON
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
