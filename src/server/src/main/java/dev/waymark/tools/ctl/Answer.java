package dev.waymark.tools.ctl;

import com.google.gson.JsonObject;
import java.util.List;

/** What an admin port has answered. */
public sealed interface Answer {
  /**
   * All that it was asked.
   *
   * @param bodies in the order of the requests
   */
  record Told(List<JsonObject> bodies) implements Answer {}

  /**
   * Nothing.
   *
   * @param problem why, as one clause
   */
  record Failed(String problem) implements Answer {}
}
