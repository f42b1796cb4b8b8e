package dev.waymark.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/** Reads a YAML document with positions, within limits of size, depth and aliases. Stateless. */
public final class YamlFile {
  static final int BYTES_MAX = 1024 * 1024;
  private static final int DEPTH_MAX = 32;
  private static final int ALIASES_MAX = 50;

  private YamlFile() {}

  /**
   * Returns its bytes.
   *
   * @throws ConfigException if it cannot be read or is too large
   */
  public static byte[] bytes(Path file) {
    if (file.toString().isEmpty()) {
      throw new ConfigException("an empty file name; give the path of a YAML file");
    }
    if (Files.isDirectory(file)) {
      throw new ConfigException(file + ": is a directory (expected: a YAML file)");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(BYTES_MAX + 1);
      if (bytes.length > BYTES_MAX) {
        throw new ConfigException(file + ": larger than 1MiB (expected: a configuration)");
      }
      return bytes;
    } catch (NoSuchFileException missing) {
      throw new ConfigException(file + ": no such file; give the path of a YAML file");
    } catch (AccessDeniedException denied) {
      throw new ConfigException(file + ": not readable by this user; change its mode or owner");
    } catch (IOException broken) {
      throw new ConfigException(file + ": cannot be read: " + broken.getMessage());
    }
  }

  /**
   * Returns the root of the only document; empty if there are only comments.
   *
   * @param name of the file, for messages
   * @throws ConfigException if it is not one YAML document
   */
  public static Optional<Node> root(String name, byte[] bytes) {
    String text = decode(name, bytes);
    LoadSettings settings =
        LoadSettings.builder()
            .setLabel(name)
            .setCodePointLimit(BYTES_MAX)
            .setMaxAliasesForCollections(ALIASES_MAX)
            .setAllowNonScalarKeys(true)
            .build();
    try {
      checkShape(name, new Parse(settings).parseString(text));
      return new Compose(settings).composeString(text);
    } catch (MarkedYamlEngineException notYaml) {
      throw new ConfigException(notYaml(name, text, notYaml));
    } catch (ReaderException character) {
      throw new ConfigException(
          place(name, text, character.getPosition())
              + String.format(
                  Locale.ROOT,
                  ": not YAML: the character U+%04X is not allowed here",
                  character.getCodePoint()));
    } catch (YamlEngineException other) {
      throw new ConfigException(
          name + ": not YAML: " + Setting.printable(firstLine(other.getMessage())));
    }
  }

  private static String decode(String name, byte[] bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException notUtf8) {
      throw new ConfigException(name + ": not UTF-8 text (expected: a YAML file)");
    }
  }

  /** Runs before composing, which recurses into nodes: the parser itself does not limit depth. */
  private static void checkShape(String name, Iterable<Event> events) {
    int depth = 0;
    int documents = 0;
    for (Event event : events) {
      depth +=
          event instanceof CollectionStartEvent ? 1 : event instanceof CollectionEndEvent ? -1 : 0;
      documents += event instanceof DocumentStartEvent ? 1 : 0;
      String start = event.getStartMark().map(mark -> place(name, mark)).orElse(name);
      if (depth > DEPTH_MAX) {
        throw new ConfigException(start + ": nested deeper than " + DEPTH_MAX + " levels");
      }
      if (documents > 1) {
        throw new ConfigException(
            start + ": a second document (expected: one; remove the line with ---)");
      }
    }
  }

  private static String notYaml(String name, String text, MarkedYamlEngineException error) {
    String place = error.getProblemMark().map(mark -> place(name, mark)).orElse(name);
    // Drops the parser's advice: the remedy says it in fewer words.
    String problem = firstLine(error.getProblem()).replaceFirst("\\. \\(Do not use .*", "");
    String line = error.getProblemMark().map(mark -> line(text, mark.getLine())).orElse("");
    String remedy = "";
    if (problem.contains("TAB") || line.startsWith("\t")) {
      remedy = "; indent with spaces";
    } else if (line.contains("[") && line.contains("]:")) {
      remedy = "; put an IPv6 address in quotes: \"[::1]:7000\"";
    }
    return place + ": not YAML: " + Setting.printable(problem) + remedy;
  }

  private static String line(String text, int index) {
    return text.lines().skip(index).findFirst().orElse("");
  }

  private static String firstLine(@Nullable String message) {
    return message == null ? "it cannot be parsed" : message.lines().findFirst().orElse("");
  }

  private static String place(String name, Mark mark) {
    return name + ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1);
  }

  private static String place(String name, String text, int codePointIndex) {
    int end =
        text.offsetByCodePoints(0, Math.min(codePointIndex, text.codePointCount(0, text.length())));
    String before = text.substring(0, end);
    long line = before.chars().filter(c -> c == '\n').count() + 1;
    return name + ":" + line + ":" + (end - before.lastIndexOf('\n'));
  }
}
