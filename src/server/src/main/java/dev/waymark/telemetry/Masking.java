package dev.waymark.telemetry;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Hides secrets in a tree of maps and lists, by the names of their keys. Stateless. */
public final class Masking {
  private static final Pattern SECRET = Pattern.compile("(?i)password|secret|token|key");
  private static final String MASK = "***";

  private Masking() {}

  /** Returns a copy in which the values of secret keys are replaced. */
  public static @Nullable Object masked(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Map<?, ?> map -> {
        Map<String, @Nullable Object> masked = new LinkedHashMap<>();
        map.forEach((key, item) ->
            masked.put(String.valueOf(key), isSecret(key) && item != null ? MASK : masked(item)));
        yield masked;
      }
      case List<?> list -> list.stream().map(Masking::masked).toList();
      case Number number -> number;
      case Boolean flag -> flag;
      default -> value.toString();
    };
  }

  private static boolean isSecret(@Nullable Object key) {
    return SECRET.matcher(String.valueOf(key)).find();
  }
}
