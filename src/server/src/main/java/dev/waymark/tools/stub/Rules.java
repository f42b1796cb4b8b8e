package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rules for answering messages. The first rule that matches a message applies. Immutable. */
public record Rules(List<Rule> rules) {
  private static final Logger log = LoggerFactory.getLogger(Rules.class);

  /** No rules. */
  public static final Rules NONE = new Rules(List.of());

  /** Only this much of a message is matched, to bound the time that a pattern takes. */
  static final int MATCHED_CHARS_MAX = 4 * 1024;

  public Rules {
    rules = List.copyOf(rules);
  }

  /** A fault that a rule injects. */
  public enum Fault {
    /** No fault. */
    NONE,
    /** The process halts at once. */
    CRASH,
    /** The connection is never answered again. The process and its other connections continue. */
    HANG
  }

  /** When a rule applies. */
  public sealed interface Match {
    /** The message equals this text, ignoring its line end. */
    record Equals(String text) implements Match {}

    /** The message contains this text. */
    record Contains(String text) implements Match {}

    /** The pattern is found in the message. */
    record Regex(Pattern pattern) implements Match {}
  }

  /**
   * One rule.
   *
   * @param reply the reply, or null for none
   * @param delay how long to wait before reply, close and crash
   * @param close the reason with which to close after the reply; null leaves the connection open
   * @param fault what to do instead of replying
   */
  public record Rule(
      Match match,
      @Nullable String reply,
      Duration delay,
      @Nullable CloseReason close,
      Fault fault) {
    /** Creates a rule without a fault. */
    public Rule(Match match, @Nullable String reply, Duration delay, @Nullable CloseReason close) {
      this(match, reply, delay, close, Fault.NONE);
    }
  }

  boolean isEmpty() {
    return rules.isEmpty();
  }

  /** The first rule that matches this message, or null. */
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
          "regex {} takes too many steps on a message of {} characters; treating it as no match",
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
