package dev.waymark.config;

import dev.waymark.net.admission.Network;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A file of networks. Immutable; equal to another with the same path and contents.
 *
 * @param path as written; empty if there is no file
 */
public record NetworkFile(String path, List<Network> networks) {
  static final NetworkFile NONE = new NetworkFile("", List.of());

  private static final int PATH_CHARS_MAX = 4096;

  public NetworkFile {
    networks = List.copyOf(networks);
  }

  /** Reads the path only; {@link LimitReader} reads the file, because that has more to complain. */
  static ValueType<NetworkFile> type() {
    String expected = "the path of a text file";
    return new ValueType<>(
        expected,
        Map.of("type", "string", "minLength", 1, "maxLength", PATH_CHARS_MAX),
        Optional.empty(),
        text -> {
          if (text.isEmpty()
              || text.length() > PATH_CHARS_MAX
              || text.chars().anyMatch(Character::isISOControl)) {
            throw new BadValueException(expected);
          }
          return new NetworkFile(text, List.of());
        });
  }

  @Override
  public String toString() {
    return path + " with " + networks.size() + " networks";
  }
}
