package dev.waymark.api;

import java.util.List;

/** The result of a reload. Immutable. */
public sealed interface ReloadOutcome {
  /**
   * The file is now in force.
   *
   * @param changes one line each; empty if nothing had changed
   */
  record Applied(List<String> changes) implements ReloadOutcome {}

  /** The file cannot be used, and nothing has changed; the message has a line for each reason. */
  record Refused(String message) implements ReloadOutcome {}

  /** A bug in the bridge; the message says what is in force now. */
  record Failed(String message) implements ReloadOutcome {}

  /** There is no file to reload, or the bridge cannot reload now. */
  record Impossible(String why) implements ReloadOutcome {}
}
