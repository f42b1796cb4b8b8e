package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What to do on which message: the first rule that matches counts. Immutable. */
public record Rules(List<Rule> rules) {
  private static final Logger log = LoggerFactory.getLogger(Rules.class);

  /** No rules. */
  public static final Rules NONE = new Rules(List.of());

  /** Longer messages are matched by their start, so that no pattern runs for long. */
  static final int MATCHED_CHARS_MAX = 4 * 1024;

  public Rules {
    rules = List.copyOf(rules);
  }

  /** What goes wrong. */
  public enum Fault {
    /** Nothing. */
    NONE,
    /** The process halts at once. */
    CRASH,
    /** The connection is never answered again; the process and its other connections live. */
    HANG
  }

  /** When a rule applies. */
  public sealed interface Match {
    /** The message is this text, its line end aside. */
    record Equals(String text) implements Match {}

    /** The message has this text in it. */
    record Contains(String text) implements Match {}

    /** The pattern is found in the message. */
    record Regex(Pattern pattern) implements Match {}
  }

  /**
   * One rule.
   *
   * @param reply null: none
   * @param delay before reply, close and crash
   * @param close behind the reply; null: the connection goes on
   * @param fault in place of an answer
   */
  public record Rule(
      Match match,
      @Nullable String reply,
      Duration delay,
      @Nullable CloseReason close,
      Fault fault) {
    /** A rule that answers. */
    public Rule(Match match, @Nullable String reply, Duration delay, @Nullable CloseReason close) {
      this(match, reply, delay, close, Fault.NONE);
    }
  }

  boolean isEmpty() {
    return rules.isEmpty();
  }

  /** The first rule for this message, or null. */
  @Nullable Rule find(String message) {
    String start =
        message.length() > MATCHED_CHARS_MAX ? message.substring(0, MATCHED_CHARS_MAX) : message;
    for (Rule rule : rules) {
      if (isMatch(rule.match(), start)) {
        return rule;
      }
    }
    return null;
  }

  private static boolean isMatch(Match match, String message) {
    return switch (match) {
      case Match.Equals(String text) ->
          message.equals(text) || withoutLineEnd(message).equals(text);
      case Match.Contains(String text) -> message.contains(text);
      case Match.Regex(Pattern pattern) -> isFound(pattern, message);
    };
  }

  private static boolean isFound(Pattern pattern, String message) {
    try {
      return pattern.matcher(BoundedText.of(message)).find();
    } catch (IllegalStateException | StackOverflowError tooCostly) {
      log.warn(
          "regex {} takes too many steps for a message of {} characters: no match",
          pattern,
          message.length());
      return false;
    }
  }

  private static String withoutLineEnd(String message) {
    if (message.endsWith("\r\n")) {
      return message.substring(0, message.length() - 2);
    }
    return message.endsWith("\n") ? message.substring(0, message.length() - 1) : message;
  }
}
