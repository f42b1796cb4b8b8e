package dev.waymark.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of an admin port or a directory, as their file lists them: one a line, {@code NAME
 * ROLE SHA256}. Holds no token, only hashes: whoever reads the file, or the memory, cannot use them
 * (docs/decisions/0042). Immutable.
 */
public final class AdminTokens {
  /** What the holder of a token may do. */
  public enum Role {
    READ,
    /** Everything, including what READ may do. */
    OPERATE,
    /** Registering instances of some services with a directory, and nothing else. */
    REGISTER
  }

  /**
   * A token that was recognized. Immutable.
   *
   * @param services of REGISTER: names, which may end in * for all that begin so
   */
  public record Holder(String name, Role role, List<String> services) {
    public Holder {
      services = List.copyOf(services);
    }

    /** A holder who may register nothing. */
    public Holder(String name, Role role) {
      this(name, role, List.of());
    }

    /** Whether it may register instances of this service. */
    public boolean mayRegister(String service) {
      return role == Role.OPERATE
          || services.stream()
              .anyMatch(one ->
                  one.endsWith("*")
                      ? service.startsWith(one.substring(0, one.length() - 1))
                      : one.equals(service));
    }
  }

  /** Whose tokens a file lists. */
  private enum Port {
    ADMIN("read or operate"),
    DIRECTORY("read, operate or register:SERVICE[,SERVICE]");

    private final String roles;

    Port(String roles) {
      this.roles = roles;
    }
  }

  private record Entry(Holder holder, byte[] sha256) {}

  /** What changes when the file is replaced or written to; null if it cannot be told. */
  private record Stamp(Object mtime, long bytes, @Nullable Object inode) {}

  static final int BYTES_MAX = 256 * 1024;

  /** Each is compared with every token presented, on the port's event loop. */
  static final int TOKENS_MAX = 1_000;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._@-]{1,63}");
  private static final Pattern SHA256 = Pattern.compile("[0-9A-Fa-f]{64}");
  private static final String REGISTER = "register:";
  private static final Pattern SERVICES =
      Pattern.compile("[A-Za-z0-9._-]*\\*?(,[A-Za-z0-9._-]*\\*?)*");
  private static final Pattern SPACE = Pattern.compile("\\s+");

  private final Path file;
  private final Port port;
  private final boolean isForOthers;
  private final @Nullable Stamp stamp;
  private final List<Entry> entries;

  private AdminTokens(
      Path file, Port port, boolean isForOthers, @Nullable Stamp stamp, List<Entry> entries) {
    this.file = file;
    this.port = port;
    this.isForOthers = isForOthers;
    this.stamp = stamp;
    this.entries = entries;
  }

  /**
   * Reads a file.
   *
   * @param isForOthers whether other users of the host may read it
   * @throws ConfigException naming file and line; never with text from the file, in which somebody
   *     may have put a token by mistake
   */
  public static AdminTokens read(Path file, boolean isForOthers) {
    return read(file, Port.ADMIN, isForOthers);
  }

  /**
   * Reads the file of a directory, which only its owner and group may read. Its tokens may have the
   * role {@code register:SERVICE[,SERVICE]}.
   *
   * @throws ConfigException like {@link #read}
   */
  public static AdminTokens ofDirectory(Path file) {
    return read(file, Port.DIRECTORY, false);
  }

  private static AdminTokens read(Path file, Port port, boolean isForOthers) {
    // First the stamp: if the file changes meanwhile, it is read again.
    Stamp stamp = stamp(file);
    byte[] bytes =
        port == Port.ADMIN
            ? SecretFile.bytes(file, BYTES_MAX, isForOthers, ProcessKeys.ADMIN_TOKENS_FOR_OTHERS)
            : SecretFile.bytes(file, BYTES_MAX);
    return new AdminTokens(file, port, isForOthers, stamp, entries(file, port, bytes));
  }

  /**
   * Reads the file again if it has been replaced or written to.
   *
   * @return empty if it is the same
   * @throws ConfigException like {@link #read}
   */
  public Optional<AdminTokens> readIfChanged() {
    Stamp now = stamp(file);
    return now != null && now.equals(stamp)
        ? Optional.empty()
        : Optional.of(read(file, port, isForOthers));
  }

  private static @Nullable Stamp stamp(Path file) {
    try {
      BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
      return new Stamp(found.lastModifiedTime(), found.size(), found.fileKey());
    } catch (IOException unreadable) {
      return null;
    }
  }

  private static List<Entry> entries(Path file, Port port, byte[] bytes) {
    List<Entry> entries = new ArrayList<>();
    Map<String, Integer> lineOf = new HashMap<>();
    int number = 0;
    for (String line : new String(bytes, UTF_8).lines().map(String::strip).toList()) {
      number++;
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      String place = file + ":" + number + ": ";
      Entry entry = entry(place, port, line);
      for (String unique :
          List.of("name " + entry.holder.name, "hash " + HexFormat.of().formatHex(entry.sha256))) {
        Integer earlier = lineOf.putIfAbsent(unique, number);
        if (earlier != null) {
          String what = unique.substring(0, unique.indexOf(' '));
          throw new ConfigException(place + "the same " + what + " as in line " + earlier);
        }
      }
      entries.add(entry);
      if (entries.size() > TOKENS_MAX) {
        throw new ConfigException(place + "more than " + TOKENS_MAX + " tokens");
      }
    }
    if (entries.isEmpty()) {
      throw new ConfigException(file + ": no token (expected: lines NAME ROLE SHA256)");
    }
    return List.copyOf(entries);
  }

  private static Entry entry(String place, Port port, String line) {
    String[] words = SPACE.split(line);
    if (words.length != 3) {
      throw new ConfigException(place + "expected 3 words, NAME ROLE SHA256, not " + words.length);
    }
    if (!NAME.matcher(words[0]).matches()) {
      throw new ConfigException(
          place + "the first word is no name (expected: 1 to 63 of A-Z, a-z, 0-9 and ._@-)");
    }
    Holder holder = holder(place, port, words[0], words[1]);
    if (!SHA256.matcher(words[2]).matches()) {
      throw new ConfigException(
          place
              + "the third word is not 64 hexadecimal digits (expected: the SHA-256 of the token, not the token)");
    }
    return new Entry(holder, HexFormat.of().parseHex(words[2]));
  }

  private static Holder holder(String place, Port port, String name, String role) {
    if (role.equals("read")) {
      return new Holder(name, Role.READ);
    }
    if (role.equals("operate")) {
      return new Holder(name, Role.OPERATE);
    }
    String services = role.startsWith(REGISTER) ? role.substring(REGISTER.length()) : "";
    if (port == Port.DIRECTORY && !services.isEmpty() && SERVICES.matcher(services).matches()) {
      return new Holder(name, Role.REGISTER, List.of(services.split(",")));
    }
    throw new ConfigException(place + "the second word is no role (expected: " + port.roles + ")");
  }

  /** How many there are. */
  public int count() {
    return entries.size();
  }

  /**
   * Returns whose token this is; empty if it is none. The time that this takes says nothing about
   * the tokens, except how many there are.
   */
  public Optional<Holder> holder(String token) {
    byte[] sha256 = sha256(token);
    Optional<Holder> found = Optional.empty();
    for (Entry entry : entries) {
      if (MessageDigest.isEqual(entry.sha256, sha256)) {
        found = Optional.of(entry.holder);
      }
    }
    return found;
  }

  private static byte[] sha256(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(UTF_8));
    } catch (NoSuchAlgorithmException defect) {
      throw new IllegalStateException("every Java has SHA-256", defect);
    }
  }
}
