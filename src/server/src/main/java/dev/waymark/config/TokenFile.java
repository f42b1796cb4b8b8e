package dev.waymark.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A file with a token or password, for calls of a registry. Stateless. */
public final class TokenFile {
  private static final int BYTES_MAX = 16 * 1024;

  /** RFC 6750, 2.1. */
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/=-]+");

  private TokenFile() {}

  /**
   * Returns the token, without white space around it. Blocks.
   *
   * @throws ConfigException naming the file, never with text from it
   */
  public static String read(Path file) {
    String token = text(file);
    if (!TOKEN.matcher(token).matches()) {
      throw new ConfigException(
          file + ": no token (expected: one word of A-Z, a-z, 0-9 and ._~+/=-)");
    }
    return token;
  }

  /**
   * Returns a password: the only line, without white space around it. Blocks.
   *
   * @throws ConfigException naming the file, never with text from it
   */
  public static String password(Path file) {
    String password = text(file);
    if (password.isEmpty() || password.chars().anyMatch(Character::isISOControl)) {
      throw new ConfigException(file + ": no password (expected: one line)");
    }
    return password;
  }

  private static String text(Path file) {
    byte[] bytes = SecretFile.bytes(file, BYTES_MAX);
    return new String(bytes, StandardCharsets.UTF_8).strip();
  }
}
