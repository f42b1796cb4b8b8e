package dev.waymark.tools.stub;

import dev.waymark.config.ConfigException;
import dev.waymark.config.YamlFile;
import dev.waymark.protocol.CloseReason;
import dev.waymark.tools.stub.Rules.Match;
import dev.waymark.tools.stub.Rules.Rule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Reads rules from a YAML file: a list of maps with one of {@code equals}, {@code contains} or
 * {@code regex}, and any of {@code reply}, {@code delay} and {@code close}, or one of {@code crash}
 * and {@code hang}. Confined to one thread.
 */
public final class RulesFile {
  private static final List<String> KEYS =
      List.of("equals", "contains", "regex", "reply", "delay", "close", "crash", "hang");

  private final Path path;

  private RulesFile(Path path) {
    this.path = path;
  }

  /**
   * Loads the rules from a file.
   *
   * @throws ConfigException with the file, line and column of the error
   */
  public static Rules load(Path path) {
    return new RulesFile(path).read();
  }

  private Rules read() {
    Node root =
        YamlFile.root(path.toString(), YamlFile.bytes(path))
            .orElseThrow(
                () -> new ConfigException(path + ": is empty (expected: a list of rules)"));
    return rules(root);
  }

  private Rules rules(Node root) {
    if (!(root instanceof SequenceNode list)) {
      throw bad(root, "expected a list of rules, such as '- {equals: ping, reply: pong}'");
    }
    List<Rule> rules = new ArrayList<>();
    for (Node node : list.getValue()) {
      rules.add(rule(node));
    }
    return new Rules(rules);
  }

  private Rule rule(Node node) {
    if (!(node instanceof MappingNode map)) {
      throw bad(node, "a rule must be a map, such as '{equals: ping, reply: pong}'");
    }
    Map<String, ScalarNode> values = new HashMap<>();
    for (NodeTuple pair : map.getValue()) {
      put(values, pair);
    }
    ScalarNode reply = values.get("reply");
    ScalarNode delay = values.get("delay");
    ScalarNode close = values.get("close");
    return new Rule(
        match(node, values),
        reply == null ? null : reply.getValue(),
        delay == null ? Duration.ZERO : delay(delay),
        close == null ? null : closeReason(close),
        fault(node, values));
  }

  private Rules.Fault fault(Node rule, Map<String, ScalarNode> values) {
    boolean isCrash = isTrue("crash", values);
    boolean isHang = isTrue("hang", values);
    boolean hasAnswer = values.containsKey("reply") || values.containsKey("close");
    if ((isCrash && isHang) || ((isCrash || isHang) && hasAnswer)) {
      throw bad(rule, "a rule may have crash, or hang, or reply and close");
    }
    return isCrash ? Rules.Fault.CRASH : isHang ? Rules.Fault.HANG : Rules.Fault.NONE;
  }

  private boolean isTrue(String key, Map<String, ScalarNode> values) {
    @Nullable ScalarNode node = values.get(key);
    if (node == null) {
      return false;
    }
    return switch (node.getValue().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw bad(node, key + ": '" + node.getValue() + "' is neither true nor false");
    };
  }

  private void put(Map<String, ScalarNode> values, NodeTuple pair) {
    String key = pair.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
    if (!KEYS.contains(key)) {
      throw bad(
          pair.getKeyNode(),
          "'" + key + "' is not a key of a rule (expected: " + String.join(", ", KEYS) + ")");
    }
    if (!(pair.getValueNode() instanceof ScalarNode value)) {
      throw bad(pair.getValueNode(), key + ": must be text");
    }
    if (values.put(key, value) != null) {
      throw bad(pair.getKeyNode(), key + ": given twice");
    }
  }

  private Match match(Node rule, Map<String, ScalarNode> values) {
    List<Match> matches = new ArrayList<>();
    @Nullable ScalarNode equals = values.get("equals");
    if (equals != null) {
      matches.add(new Match.Equals(equals.getValue()));
    }
    @Nullable ScalarNode contains = values.get("contains");
    if (contains != null) {
      matches.add(new Match.Contains(contains.getValue()));
    }
    @Nullable ScalarNode regex = values.get("regex");
    if (regex != null) {
      matches.add(regex(regex));
    }
    if (matches.size() != 1) {
      throw bad(rule, "a rule must have one of equals, contains and regex, not " + matches.size());
    }
    return matches.getFirst();
  }

  private Match regex(ScalarNode node) {
    try {
      return new Match.Regex(Pattern.compile(node.getValue()));
    } catch (PatternSyntaxException e) {
      throw bad(node, "regex: " + e.getDescription() + " in '" + node.getValue() + "'");
    }
  }

  private Duration delay(ScalarNode node) {
    try {
      return DelayText.parse(node.getValue());
    } catch (IllegalArgumentException e) {
      throw bad(node, "delay: " + e.getMessage());
    }
  }

  private CloseReason closeReason(ScalarNode node) {
    try {
      CloseReason reason = CloseReason.valueOf(node.getValue().toUpperCase(Locale.ROOT));
      if (!reason.endsAttachmentOnly()) {
        return reason;
      }
    } catch (IllegalArgumentException e) {
      // Reported below.
    }
    throw bad(
        node,
        "close: '"
            + node.getValue()
            + "' is not a close reason for upstreams (expected: DONE, ABORT, BUSY, NOT_HERE,"
            + " SHUTTING_DOWN, …)");
  }

  private ConfigException bad(Node node, String message) {
    return bad(node.getStartMark(), message);
  }

  private ConfigException bad(Optional<Mark> mark, String message) {
    String place = mark.map(at -> (at.getLine() + 1) + ":" + (at.getColumn() + 1)).orElse("1:1");
    return new ConfigException(path + ":" + place + ": " + message);
  }
}
