package dev.waymark.tools.directory.xds;

import java.util.Collection;
import java.util.Optional;

/** Limits of what clients send, and of responses. */
final class StreamRules {
  /** The name that stands for all, where that is possible. */
  static final String WILDCARD = "*";

  /**
   * A response ends with the resource that reaches this size, far below the 4 MiB that gRPC clients
   * accept by default.
   */
  static final int RESPONSE_BYTES = 1 << 20;

  /** Services have at most 253; other names do not exist, but are kept. */
  private static final int CHARS_MAX = 1_000;

  private static final int TEXT_CHARS_MAX = 400;

  private StreamRules() {}

  /**
   * Why a client goes too far; empty if it does not.
   *
   * @param names of its request
   * @param count how many it has subscribed to in all
   */
  static Optional<String> problem(Collection<String> names, int count, AdsLimits limits) {
    if (count > limits.namesMax()) {
      return Optional.of("more than " + limits.namesMax() + " resource names on a stream");
    }
    return names.stream().anyMatch(name -> name.length() > CHARS_MAX)
        ? Optional.of("a resource name of more than " + CHARS_MAX + " characters")
        : Optional.empty();
  }

  /** Text of a client, for people. */
  static String shortened(String text) {
    return text.length() <= TEXT_CHARS_MAX ? text : text.substring(0, TEXT_CHARS_MAX - 1) + "…";
  }
}
