package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The text form of a stub's refusals, for flags and the admin port. Stateless. */
public final class RefusalText {
  private RefusalText() {}

  /**
   * Parses {@code busy}, {@code not_here} or {@code shutting_down} into a close reason, and {@code
   * none} into null. Case does not matter.
   *
   * @throws IllegalArgumentException if the text is none of these; the message names them
   */
  public static @Nullable CloseReason parse(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "none" -> null;
      case "busy" -> CloseReason.BUSY;
      case "not_here" -> CloseReason.NOT_HERE;
      case "shutting_down" -> CloseReason.SHUTTING_DOWN;
      default ->
          throw new IllegalArgumentException(
              "'" + text + "' is not a refusal (expected: busy, not_here, shutting_down or none)");
    };
  }
}
