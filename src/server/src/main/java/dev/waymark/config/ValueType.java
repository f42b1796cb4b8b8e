package dev.waymark.config;

import dev.waymark.net.admission.Network;
import dev.waymark.net.admission.Rate;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collector;
import java.util.stream.Collectors;

/**
 * How the text of a value is read and described. Immutable.
 *
 * @param expected what a valid value looks like, for messages and the reference
 * @param schema the JSON Schema keywords that describe the value as written in YAML
 * @param order of the values, if keys of this type may limit one another
 */
record ValueType<T>(
    String expected, Map<String, Object> schema, Optional<Comparator<T>> order, Reader<T> reader) {
  /** Reads a text. */
  @FunctionalInterface
  interface Reader<T> {
    T read(String text) throws BadValueException;
  }

  private static final String TYPE = "type";
  private static final String PATTERN = "pattern";

  /** In YAML, unquoted text may look like a number or a boolean. */
  private static final List<String> ANY_SCALAR = List.of("string", "number", "boolean");

  private static final Pattern WHOLE_NUMBER = Pattern.compile("[+-]?[0-9]{1,15}");
  private static final Pattern AMOUNT = Pattern.compile("([0-9]{1,15})([A-Za-z]*)");
  private static final Map<String, Long> SIZE_UNITS =
      Map.of("", 1L, "B", 1L, "KiB", 1L << 10, "MiB", 1L << 20, "GiB", 1L << 30);
  private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,63}");
  private static final Pattern HOST_NAME =
      Pattern.compile("(\\*\\.)?[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?");
  private static final Pattern PROTOCOL_NAME = Pattern.compile("[!-+\\--~]{1,255}");

  /** SPIFFE-ID, section 2: a trust domain and a path, here perhaps with {@code /*} at its end. */
  private static final Pattern SPIFFE_ID =
      Pattern.compile("spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._-]+)*(/\\*)?");

  private static final int DELIMITER_BYTES_MAX = 16;
  private static final int PATH_CHARS_MAX = 4_096;

  /** Text with a form of its own. */
  static <T> ValueType<T> form(String expected, String pattern, Reader<T> reader) {
    return new ValueType<>(
        expected, Map.of(TYPE, "string", PATTERN, pattern), Optional.empty(), reader);
  }

  /** A whole number from min to max. */
  static ValueType<Integer> number(int min, int max) {
    String expected = "a whole number from " + min + " to " + max;
    return new ValueType<>(
        expected,
        Map.of(TYPE, "integer", "minimum", min, "maximum", max),
        Optional.of(Comparator.<Integer>naturalOrder()),
        text -> {
          // Long.parseLong accepts the digits of all scripts.
          long number =
              WHOLE_NUMBER.matcher(text).matches() ? Long.parseLong(text) : Long.MAX_VALUE;
          if (number < min || number > max) {
            throw new BadValueException(expected);
          }
          return (int) number;
        });
  }

  /** A whole number from 1 to max, or {@code off}, which is zero. */
  static ValueType<Integer> numberOrOff(int max) {
    ValueType<Integer> number = number(1, max);
    String expected = number.expected + ", or off";
    return new ValueType<>(
        expected,
        Map.of(
            TYPE,
            List.of("string", "integer"),
            PATTERN,
            "^([0-9]{1,15}|off)$",
            "minimum",
            1,
            "maximum",
            max),
        number.order,
        text -> {
          if (text.equalsIgnoreCase("off")) {
            return 0;
          }
          try {
            return number.reader.read(text);
          } catch (BadValueException bad) {
            throw new BadValueException(expected);
          }
        });
  }

  /** A number of bytes, with or without a binary unit. */
  static ValueType<Integer> size(String min, String max) {
    ValueType<Long> wide = longSize(min, max);
    return new ValueType<>(
        wide.expected,
        wide.schema,
        Optional.of(Comparator.<Integer>naturalOrder()),
        text -> Math.toIntExact(wide.reader.read(text)));
  }

  /** A number of bytes that an int may not hold. */
  static ValueType<Long> longSize(String min, String max) {
    String expected = "a size from " + min + " to " + max + ", such as 64KiB or 1MiB";
    long minBytes = sizeBytes(min);
    long maxBytes = sizeBytes(max);
    return new ValueType<>(
        expected,
        Map.of(
            TYPE,
            List.of("string", "integer"),
            PATTERN,
            "^[0-9]{1,15}(B|KiB|MiB|GiB)?$",
            "minimum",
            minBytes,
            "maximum",
            maxBytes),
        Optional.of(Comparator.<Long>naturalOrder()),
        text -> {
          long bytes = sizeBytes(text);
          if (bytes < minBytes || bytes > maxBytes) {
            throw new BadValueException(expected);
          }
          return bytes;
        });
  }

  /** Returns -1 if it is not a size. */
  private static long sizeBytes(String text) {
    Matcher amount = AMOUNT.matcher(text);
    if (!amount.matches()) {
      return -1;
    }
    Long unit = SIZE_UNITS.get(amount.group(2));
    long count = Long.parseLong(amount.group(1));
    return unit == null || count > Long.MAX_VALUE / unit ? -1 : count * unit;
  }

  /** A duration with its unit, at least 1 ms. */
  static ValueType<Duration> duration(String max) {
    String expected = "a duration up to " + max + ", such as 500ms, 30s or 5m";
    return duration(expected, max, false);
  }

  /** A duration, or {@code off}, which is zero. */
  static ValueType<Duration> durationOrOff(String max) {
    String expected = "a duration up to " + max + ", such as 500ms, 30s or 5m, or off";
    return duration(expected, max, true);
  }

  private static ValueType<Duration> duration(String expected, String max, boolean isOffAllowed) {
    String amount = "[0-9]{1,15}(ms|s|m|h)";
    Map<String, Object> schema =
        isOffAllowed
            ? Map.of(
                TYPE,
                List.of("string", "integer"),
                PATTERN,
                "^(" + amount + "|off)$",
                "minimum",
                0,
                "maximum",
                0)
            : Map.of(TYPE, "string", PATTERN, "^" + amount + "$");
    return new ValueType<>(
        expected,
        schema,
        Optional.of(Comparator.<Duration>naturalOrder()),
        text -> {
          Duration duration =
              isOffAllowed && text.equalsIgnoreCase("off")
                  ? Duration.ZERO
                  : DurationText.parse(text);
          Duration longest = DurationText.parse(max);
          if (duration == null
              || longest == null
              || duration.compareTo(longest) > 0
              || (duration.isZero() && !isOffAllowed)) {
            throw new BadValueException(expected);
          }
          return duration;
        });
  }

  /** {@code true} or {@code false}, in upper or lower case like all words. */
  static ValueType<Boolean> bool() {
    return new ValueType<>(
        "true or false",
        Map.of(TYPE, "boolean"),
        Optional.empty(),
        text ->
            switch (text.toLowerCase(Locale.ROOT)) {
              case "true" -> true;
              case "false" -> false;
              default -> throw new BadValueException("true or false");
            });
  }

  /** {@code on} or {@code off}. */
  static ValueType<Boolean> onOff() {
    Map<String, Boolean> words = new LinkedHashMap<>();
    words.put("on", true);
    words.put("off", false);
    return word(words);
  }

  /** One of an enum's constants, in lower case, with dashes for underscores. */
  static <E extends Enum<E>> ValueType<E> word(Class<E> type) {
    return word(Arrays.stream(type.getEnumConstants()).collect(words()));
  }

  private static <E extends Enum<E>> Collector<E, ?, Map<String, E>> words() {
    return Collectors.toMap(ValueType::wordOf, e -> e, (a, b) -> a, LinkedHashMap::new);
  }

  /** One of several words, given in lower case and read in any case. */
  static <V> ValueType<V> word(Map<String, V> values) {
    String expected = String.join(", ", values.keySet());
    boolean isNumber =
        values.keySet().stream().allMatch(word -> WHOLE_NUMBER.matcher(word).matches());
    List<?> words =
        isNumber
            ? values.keySet().stream().map(Integer::valueOf).toList()
            : List.copyOf(values.keySet());
    return new ValueType<>(
        expected,
        Map.of("enum", words),
        Optional.empty(),
        text -> {
          V value = values.get(text.toLowerCase(Locale.ROOT));
          if (value == null) {
            throw new BadValueException(expected);
          }
          return value;
        });
  }

  private static String wordOf(Enum<?> constant) {
    String lower = constant.name().toLowerCase(Locale.ROOT);
    // The kernel's name has an underscore.
    return constant == BridgeConfig.Transport.IO_URING ? lower : lower.replace('_', '-');
  }

  /** The name of a listener or pool, which is also a metric label. */
  static ValueType<String> name() {
    String expected = "1 to 63 of a-z, 0-9 and -";
    return new ValueType<>(
        expected,
        Map.of(TYPE, List.of("string", "integer"), PATTERN, "^" + NAME + "$"),
        Optional.empty(),
        text -> {
          if (!NAME.matcher(text).matches()) {
            throw new BadValueException(expected);
          }
          return text;
        });
  }

  /** Names of listeners or pools. */
  static ValueType<List<String>> names() {
    String expected = "names separated by commas, each 1 to 63 of a-z, 0-9 and -";
    String list = "^ *" + NAME + " *(, *" + NAME + " *)*$";
    return new ValueType<>(
        expected,
        Map.of(TYPE, List.of("string", "integer"), PATTERN, list),
        Optional.empty(),
        text -> list(text, NAME, expected));
  }

  private static List<String> list(String text, Pattern element, String expected)
      throws BadValueException {
    List<String> elements = Arrays.stream(text.split(",", -1)).map(String::strip).toList();
    if (!elements.stream().allMatch(one -> element.matcher(one).matches())) {
      throw new BadValueException(expected);
    }
    return elements;
  }

  /** Networks. */
  static ValueType<List<Network>> networks() {
    String expected = "networks separated by commas, such as 10.0.0.0/8, 192.0.2.7 or fd00::/8";
    String list = "^ *" + Network.PATTERN + " *(, *" + Network.PATTERN + " *)*$";
    return new ValueType<>(
        expected,
        Map.of(TYPE, "string", PATTERN, list),
        Optional.empty(),
        text -> {
          List<Network> networks = new ArrayList<>();
          for (String one : text.split(",", -1)) {
            try {
              networks.add(Network.read(one.strip()));
            } catch (IllegalArgumentException bad) {
              String what = String.valueOf(bad.getMessage());
              throw new BadValueException(what.equals(Network.EXPECTED) ? expected : what);
            }
          }
          return List.copyOf(networks);
        });
  }

  /** A rate, or {@code off}, which is empty. */
  static ValueType<Optional<Rate>> rateOrOff() {
    String expected = Rate.EXPECTED + ", or off";
    return new ValueType<>(
        expected,
        Map.of(TYPE, "string", PATTERN, "^(" + Rate.PATTERN + "|off)$"),
        Optional.empty(),
        text -> {
          if (text.equalsIgnoreCase("off")) {
            return Optional.empty();
          }
          try {
            return Optional.of(Rate.read(text));
          } catch (IllegalArgumentException bad) {
            throw new BadValueException(expected);
          }
        });
  }

  /** Host names; a star stands for all names below one. */
  static ValueType<List<String>> hostNames() {
    String expected =
        "names of hosts separated by commas, such as bridge.example.com or *.example.com";
    return new ValueType<>(
        expected,
        Map.of(TYPE, "string", PATTERN, "^[A-Za-z0-9_*][A-Za-z0-9._, *-]*$"),
        Optional.empty(),
        text -> list(text, HOST_NAME, expected));
  }

  /** The path of a file. */
  static ValueType<Path> path() {
    ValueType<String> text = text(1, PATH_CHARS_MAX);
    String expected = "the path of a file";
    return new ValueType<>(
        expected,
        text.schema,
        Optional.empty(),
        written -> {
          try {
            return Path.of(text.reader.read(written));
          } catch (BadValueException | InvalidPathException bad) {
            throw new BadValueException(expected);
          }
        });
  }

  /** The path of a file, for a key that may be left out. */
  static ValueType<Optional<Path>> optionalPath() {
    ValueType<Path> path = path();
    return new ValueType<>(
        path.expected, path.schema, Optional.empty(), text -> Optional.of(path.reader.read(text)));
  }

  /** Names of protocols for ALPN (RFC 7301, section 6). */
  static ValueType<List<String>> protocolNames() {
    String expected =
        "names of protocols separated by commas, each 1 to 255 of ASCII, such as mqtt";
    String list = "^ *" + PROTOCOL_NAME + " *(, *" + PROTOCOL_NAME + " *)*$";
    return new ValueType<>(
        expected,
        Map.of(TYPE, "string", PATTERN, list),
        Optional.empty(),
        text -> list(text, PROTOCOL_NAME, expected));
  }

  /** The name of a server, for a key that may be left out. */
  static ValueType<Optional<String>> serverName() {
    String expected = "the name of a host, such as echo.internal";
    return new ValueType<>(
        expected,
        Map.of(TYPE, "string", PATTERN, "^[A-Za-z0-9_][A-Za-z0-9._-]*$"),
        Optional.empty(),
        text -> {
          if (text.startsWith("*") || !HOST_NAME.matcher(text).matches()) {
            throw new BadValueException(expected);
          }
          return Optional.of(text);
        });
  }

  /** DNS names and SPIFFE IDs. */
  static ValueType<List<String>> peerNames() {
    String expected =
        "DNS names or SPIFFE IDs separated by commas, such as echo.internal, spiffe://example.org/echo or spiffe://example.org/echo/*";
    return new ValueType<>(
        expected,
        Map.of(TYPE, "string", PATTERN, "^[A-Za-z0-9_][A-Za-z0-9_.:/*, -]*$"),
        Optional.empty(),
        text -> {
          List<String> names = Arrays.stream(text.split(",", -1)).map(String::strip).toList();
          for (String name : names) {
            boolean isId = SPIFFE_ID.matcher(name).matches();
            if (!isId && (name.startsWith("*") || !HOST_NAME.matcher(name).matches())) {
              throw new BadValueException(expected);
            }
          }
          return names;
        });
  }

  /** Printable text of a bounded length. */
  static ValueType<String> text(int minChars, int maxChars) {
    String expected = "text of " + minChars + " to " + maxChars + " printable characters";
    return new ValueType<>(
        expected,
        Map.of(TYPE, ANY_SCALAR, "minLength", minChars, "maxLength", maxChars),
        Optional.empty(),
        text -> {
          if (text.length() < minChars
              || text.length() > maxChars
              || text.chars().anyMatch(Character::isISOControl)) {
            throw new BadValueException(expected);
          }
          return text;
        });
  }

  /** Bytes as text or as {@code 0x} and hexadecimal digits. */
  static ValueType<byte[]> delimiter() {
    String expected =
        "1 to " + DELIMITER_BYTES_MAX + " bytes as text, such as \"\\r\\n\", or as 0x0d0a";
    return new ValueType<>(
        expected,
        Map.of(TYPE, ANY_SCALAR, "minLength", 1),
        Optional.empty(),
        text -> {
          byte[] bytes =
              text.startsWith("0x") ? hex(text, expected) : text.getBytes(StandardCharsets.UTF_8);
          if (bytes.length == 0 || bytes.length > DELIMITER_BYTES_MAX) {
            throw new BadValueException(expected);
          }
          return bytes;
        });
  }

  private static byte[] hex(String text, String expected) throws BadValueException {
    try {
      return HexFormat.of().parseHex(text, 2, text.length());
    } catch (IllegalArgumentException notHex) {
      throw new BadValueException(expected);
    }
  }
}
