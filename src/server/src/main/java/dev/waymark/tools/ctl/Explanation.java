package dev.waymark.tools.ctl;

import com.google.gson.JsonObject;
import dev.waymark.config.BadValueException;
import dev.waymark.config.ServiceAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What is known of a service, by whom, for people: first each directory and bridge that was asked,
 * then each instance with what they say of it. Confined to one thread.
 */
public final class Explanation {
  private final ExplainQuery query;
  private final List<Fields> directories;
  private final List<Fields> bridges;

  /**
   * @param answers as {@link ExplainQuery#ask} returns them
   */
  public Explanation(ExplainQuery query, JsonObject answers) {
    this.query = query;
    this.directories = new Fields(answers).list("directories");
    this.bridges = new Fields(answers).list("bridges");
  }

  /** Whether anybody knows the service, or its instance if the query names one. */
  public boolean isFound() {
    return !addresses().isEmpty() || (query.address().isEmpty() && pools().findAny().isPresent());
  }

  /** The lines, each with its end. */
  public String text() {
    Blocks blocks = new Blocks();
    blocks.title(query.service() + query.address().map(each -> "/" + each).orElse(""));
    directories.forEach(
        each -> blocks.row("directory " + each.text("admin"), DirectoryWording.summary(each)));
    for (Fields bridge : bridges) {
      addBridge(blocks, bridge);
    }
    for (String address : addresses()) {
      blocks.title(address);
      directories.forEach(each -> addListed(blocks, each, address));
      bridges.forEach(each -> addExplained(blocks, each, address));
    }
    return blocks.text();
  }

  private static void addBridge(Blocks blocks, Fields bridge) {
    String label = "bridge " + bridge.text("admin");
    if (!bridge.text("error").isEmpty()) {
      blocks.row(label, bridge.text("error"));
    }
    for (Fields pool : bridge.list("pools")) {
      blocks.row(label, PoolWording.summary(pool));
      String problem = PoolWording.problem(pool.in("source"));
      if (!problem.isEmpty()) {
        blocks.row("", problem);
      }
    }
  }

  private void addListed(Blocks blocks, Fields directory, String address) {
    if (directory.text("error").isEmpty()) {
      String label = directories.size() == 1 ? "directory" : "directory " + directory.text("admin");
      String says =
          named(directory, address)
              .map(instance -> DirectoryWording.instance(instance, directory.list("nodes")))
              .orElse("does not know it");
      blocks.row(label, says);
    }
  }

  private void addExplained(Blocks blocks, Fields bridge, String address) {
    String who = bridges.size() == 1 ? "" : bridge.text("admin") + " ";
    for (Fields pool : bridge.list("pools")) {
      String name = pool.text("pool");
      Optional<Fields> instance = named(pool, address);
      if (instance.isPresent()) {
        blocks.row(who + "source of " + name, PoolWording.listing(instance.get()));
        blocks.row(who + "pool " + name, PoolWording.use(instance.get()));
      } else {
        blocks.row(who + "pool " + name, "does not know it");
      }
    }
  }

  private static Optional<Fields> named(Fields in, String address) {
    return in.list("instances").stream()
        .filter(each -> each.text("address").equals(address))
        .findFirst();
  }

  /** In the order in which they are named first. */
  private Set<String> addresses() {
    Set<String> addresses = new LinkedHashSet<>();
    Stream.concat(directories.stream(), pools())
        .flatMap(each -> each.list("instances").stream())
        .map(instance -> instance.text("address"))
        .filter(this::isAsked)
        .forEach(addresses::add);
    return addresses;
  }

  private Stream<Fields> pools() {
    return bridges.stream().flatMap(bridge -> bridge.list("pools").stream());
  }

  private boolean isAsked(String address) {
    return query.address().isEmpty() || canonical(query.address().get()).equals(canonical(address));
  }

  /** The one text for all spellings of an address; the text itself if it is none. */
  private static String canonical(String address) {
    try {
      return ServiceAddress.read(address);
    } catch (BadValueException none) {
      return address;
    }
  }
}
