package dev.waymark.tools.ctl;

import java.util.ArrayList;
import java.util.List;

/** What a directory says of a service and its instances. Stateless. */
final class DirectoryWording {
  private DirectoryWording() {}

  /** The directory itself, and how many instances it knows. */
  static String summary(Fields directory) {
    if (!directory.text("error").isEmpty()) {
      return directory.text("error");
    }
    Fields self = directory.in("directory");
    List<Fields> instances = directory.list("instances");
    long usable = instances.stream().filter(each -> each.isTrue("isUsable")).count();
    String young =
        self.isTrue("isSettled")
            ? ""
            : "; it has just started, and nodes may not have come back to it yet";
    return Wording.count(instances.size(), "instance")
        + (instances.isEmpty() ? "" : ", " + usable + " usable")
        + "; up for "
        + Wording.time(self.count("uptimeMs"))
        + ", version "
        + self.count("version")
        + young;
  }

  /**
   * An instance.
   *
   * @param nodes all of the directory; the last that the instance names speaks for it
   */
  static String instance(Fields instance, List<Fields> nodes) {
    List<String> parts = new ArrayList<>();
    parts.add(instance.text("health"));
    if (instance.count("dampedForMs") > 0) {
      parts.add("damped for another " + Wording.time(instance.count("dampedForMs")));
    }
    parts.addAll(PoolWording.properties(instance));
    if (instance.decimal("utilisation") > 0) {
      parts.add("load " + Wording.percent(instance.decimal("utilisation")));
    }
    List<String> speakers =
        instance.texts("nodes").stream().map(name -> node(name, nodes)).toList();
    return String.join(", ", parts) + "; " + String.join("; ", speakers.reversed());
  }

  private static String node(String name, List<Fields> nodes) {
    return nodes.stream()
        .filter(node -> node.text("node").equals(name) && !node.text("state").equals("expired"))
        .findFirst()
        .map(node -> "node " + name + ", " + heartbeat(node))
        .orElse("node " + name);
  }

  private static String heartbeat(Fields node) {
    String heartbeat = "heartbeat " + Wording.time(node.count("silentMs")) + " ago";
    return node.text("state").equals("lost")
        ? heartbeat + ", unreachable for " + Wording.time(node.count("lostForMs"))
        : heartbeat;
  }
}
