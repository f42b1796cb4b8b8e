package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** With what a stub refuses connections, as people write it. Stateless. */
public final class RefusalText {
  private RefusalText() {}

  /**
   * The close reason of {@code busy}, {@code not_here} or {@code shutting_down}; null for {@code
   * none}. Case does not matter.
   *
   * @throws IllegalArgumentException naming what is expected
   */
  public static @Nullable CloseReason parse(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "none" -> null;
      case "busy" -> CloseReason.BUSY;
      case "not_here" -> CloseReason.NOT_HERE;
      case "shutting_down" -> CloseReason.SHUTTING_DOWN;
      default ->
          throw new IllegalArgumentException(
              "'" + text + "' refuses nothing (expected: busy, not_here, shutting_down or none)");
    };
  }
}
