package dev.waymark.config;

import dev.waymark.config.Schema.Child;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Checks a file's nodes against the schema and collects the values. Confined to one load; its depth
 * is that of the schema.
 */
final class FileWalk {
  /** Aliases can make a small file large. */
  private static final int VALUES_MAX = 100_000;

  /** What other versions of YAML call null, besides {@code null}. */
  private static final Set<String> NULLS = Set.of("", "~", "Null", "NULL");

  private final Schema schema;
  private final String name;
  private final Problems problems;
  private final Values values = new Values();
  private int valueCount;

  private FileWalk(Schema schema, String name, Problems problems) {
    this.schema = schema;
    this.name = name;
    this.problems = problems;
  }

  /** Returns the values of the file; notes what does not belong there. */
  static Values read(Schema schema, String name, byte[] bytes, Problems problems) {
    FileWalk walk = new FileWalk(schema, name, problems);
    YamlFile.root(name, bytes)
        .ifPresentOrElse(
            root -> walk.root(root),
            () ->
                problems.addLine(
                    new Origin.File(name, 1, 1),
                    name + ": is empty (expected: listeners and pools; see waymark config show)"));
    return walk.values;
  }

  /** Returns the values of a file that holds nothing but a list, which gets this path. */
  static Values readList(Schema schema, String path, String name, byte[] bytes, Problems problems) {
    FileWalk walk = new FileWalk(schema, name, problems);
    Optional<Node> root = YamlFile.root(name, bytes);
    if (root.orElse(null) instanceof SequenceNode list) {
      walk.list(list, path + "[].", path);
    } else {
      Origin.File at = root.map(walk::origin).orElse(new Origin.File(name, 1, 1));
      problems.add(
          at,
          root.map(FileWalk::kind).orElse("an empty file")
              + " (expected: a list, each element on a line that starts with -; [] for none)");
    }
    return walk.values;
  }

  private void root(Node root) {
    if (root instanceof MappingNode map) {
      map(map, "", "");
    } else {
      problems.add(
          origin(root),
          "not a configuration (expected: a map of keys such as listeners and pools)");
    }
  }

  private void map(MappingNode map, String schemaPrefix, String prefix) {
    values.putPlace(prefix.isEmpty() ? "" : prefix.substring(0, prefix.length() - 1), origin(map));
    Map<String, Child> children = schema.childrenOf(schemaPrefix);
    Map<String, Origin.File> seen = new HashMap<>();
    for (NodeTuple tuple : map.getValue()) {
      if (++valueCount > VALUES_MAX) {
        throw new ConfigException(
            name + ": more than " + VALUES_MAX + " values; use fewer aliases");
      }
      Origin.File at = origin(tuple.getKeyNode());
      if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
        problems.add(
            at,
            "a key that is not a word (expected: " + String.join(", ", children.keySet()) + ")");
        continue;
      }
      String key = keyNode.getValue();
      Origin.File first = seen.putIfAbsent(key, at);
      if (first != null) {
        problems.add(
            at,
            prefix
                + Setting.printable(key)
                + ": given twice, first at "
                + first.place()
                + "; remove one");
        continue;
      }
      Child any = children.get("*");
      Child child = any == null ? children.get(key) : any;
      if (child == null) {
        unknown(at, prefix, key, children);
      } else {
        value(tuple.getValueNode(), child, schemaPrefix, prefix + key);
      }
    }
  }

  private void unknown(Origin.File at, String prefix, String key, Map<String, Child> children) {
    List<String> elsewhere = schema.pathsOf(key);
    Optional<String> meant =
        elsewhere.isEmpty()
            ? Nearest.to(key, children.keySet())
            : Optional.of(String.join(" or ", elsewhere));
    String remedy =
        meant
            .map(word -> "; did you mean " + word + "?")
            .orElse(" (expected one of: " + String.join(", ", children.keySet()) + ")");
    problems.add(at, prefix + Setting.printable(key) + ": unknown key" + remedy);
  }

  private void value(Node node, Child child, String schemaPrefix, String path) {
    switch (node) {
      case ScalarNode scalar when isNull(scalar) ->
          problems.add(
              origin(node),
              path
                  + ": has no value (expected: "
                  + child.expected()
                  + "); give one or remove the key");
      case ScalarNode scalar when child.isValue() ->
          values.put(path, scalar.getValue(), origin(node));
      case MappingNode map when child.isMap() ->
          map(map, schemaPrefix + child.name() + ".", path + ".");
      case SequenceNode list when child.isList() ->
          list(list, schemaPrefix + child.name() + "[].", path);
      default ->
          problems.add(
              origin(node), path + ": " + kind(node) + " (expected: " + child.expected() + ")");
    }
  }

  private void list(SequenceNode list, String schemaPrefix, String path) {
    values.putList(path, list.getValue().stream().map(this::origin).toList(), origin(list));
    int index = 0;
    for (Node element : list.getValue()) {
      String at = path + "[" + index++ + "]";
      if (element instanceof MappingNode map) {
        map(map, schemaPrefix, at + ".");
      } else {
        problems.add(
            origin(element),
            at
                + ": "
                + kind(element)
                + " (expected: a map of keys such as "
                + schema.childrenOf(schemaPrefix).keySet().iterator().next()
                + ")");
      }
    }
  }

  private static boolean isNull(ScalarNode scalar) {
    return scalar.getTag().equals(Tag.NULL)
        || (scalar.isPlain() && NULLS.contains(scalar.getValue()));
  }

  private static String kind(Node node) {
    return switch (node) {
      case MappingNode _ -> "a map";
      case SequenceNode _ -> "a list";
      case ScalarNode scalar -> isNull(scalar) ? "no value" : Setting.printable(scalar.getValue());
      default -> "something else";
    };
  }

  private Origin.File origin(Node node) {
    Optional<Mark> mark = node.getStartMark();
    return new Origin.File(
        name, mark.map(Mark::getLine).orElse(0) + 1, mark.map(Mark::getColumn).orElse(0) + 1);
  }
}
