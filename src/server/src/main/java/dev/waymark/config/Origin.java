package dev.waymark.config;

import java.util.Optional;

/** Where a value came from. Immutable. */
public sealed interface Origin {
  /** A flag, {@code --admin}. */
  record Flag(String name) implements Origin {}

  /** An environment variable, {@code WAYMARK_ADMIN}. */
  record Environment(String name) implements Origin {}

  /** A place in the file; line and column from 1. */
  record File(String name, int line, int column) implements Origin {
    String place() {
      return name + ":" + line + ":" + column;
    }
  }

  /**
   * The default.
   *
   * @param near where it could be set: the innermost part of the file that exists; empty without a
   *     file
   * @param remedy what sets it
   */
  record Default(Optional<File> near, String remedy) implements Origin {}

  /**
   * Not the configured value, but one that this process can keep.
   *
   * @param asked where the configured value came from
   * @param value the configured value
   * @param why a clause
   */
  record Fitted(Origin asked, String value, String why) implements Origin {}

  /** The text that {@code config show} prints. */
  default String text() {
    return switch (this) {
      case Flag flag -> "flag " + flag.name;
      case Environment variable -> "environment " + variable.name;
      case File file -> file.place();
      case Default _ -> "default";
      case Fitted(Origin asked, String value, String why) ->
          asked.text() + " " + value + ", " + why;
    };
  }

  /**
   * The refusal of a file that cannot be used, in one line.
   *
   * @param path the key that names the file
   * @param problem names the file and what is wrong with it
   */
  default String fileRefusal(String path, String problem) {
    return switch (this) {
      case Flag flag -> flag.name + ": " + problem;
      case Environment variable -> text() + ": " + problem;
      case File _, Default _, Fitted _ -> text() + ": " + path + ": " + problem;
    };
  }

  /** A refusal in one line. */
  default String refusal(String path, String value, String expected) {
    return switch (this) {
      case Fitted fitted -> fitted.asked.refusal(path, value, expected);
      case Flag flag -> flag.name + " " + value + ": expected " + expected;
      case Environment variable ->
          "environment " + variable.name + "=" + value + ": expected " + expected;
      case File file -> file.place() + ": " + path + ": " + value + " (expected: " + expected + ")";
      case Default(Optional<File> near, String remedy) ->
          near.map(file -> file.place() + ": ").orElse("")
              + path
              + ": "
              + value
              + " (the default; expected: "
              + expected
              + "); set "
              + remedy;
    };
  }
}
