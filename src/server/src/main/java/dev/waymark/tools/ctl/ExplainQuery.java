package dev.waymark.tools.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What directories and bridges are asked about a service, or one of its instances. Immutable.
 *
 * @param address of the instance; empty: all
 */
public record ExplainQuery(String service, Optional<String> address) {
  private static final String UNIX = "/unix:/";

  /** Reads SERVICE or SERVICE/ADDRESS. The name of a service may have slashes, too. */
  public static ExplainQuery read(String text) {
    int unix = text.indexOf(UNIX);
    int slash = unix > 0 ? unix : text.lastIndexOf('/');
    boolean hasAddress = slash > 0 && text.indexOf(':', slash) > 0;
    return hasAddress
        ? new ExplainQuery(text.substring(0, slash), Optional.of(text.substring(slash + 1)))
        : new ExplainQuery(text, Optional.empty());
  }

  /**
   * Asks all of them at once, and returns what they say: {@code directories}, with the members
   * {@code directory}, {@code instances} and {@code nodes}, and {@code bridges}, with {@code
   * pools}. Each has its address as {@code admin}, and one that gives no answer has {@code error}
   * in place of the rest. Blocks.
   */
  public JsonObject ask(
      AdminClient client, List<AdminAddress> directories, List<AdminAddress> bridges) {
    List<CompletableFuture<JsonObject>> ofDirectories = new ArrayList<>();
    for (AdminAddress each : directories) {
      ofDirectories.add(
          client
              .ask(each, "/directory", "/instances?service=" + encoded(service), "/nodes")
              .thenApply(answer -> directory(each, answer)));
    }
    String query = "/explain?service=" + encoded(service);
    String path = address.map(each -> query + "&address=" + encoded(each)).orElse(query);
    List<CompletableFuture<JsonObject>> ofBridges = new ArrayList<>();
    for (AdminAddress each : bridges) {
      ofBridges.add(client.ask(each, path).thenApply(answer -> bridge(each, answer)));
    }
    JsonObject all = new JsonObject();
    all.addProperty("service", service);
    address.ifPresent(each -> all.addProperty("address", each));
    all.add("directories", joined(ofDirectories));
    all.add("bridges", joined(ofBridges));
    return all;
  }

  private static String encoded(String value) {
    return URLEncoder.encode(value, UTF_8);
  }

  private static JsonObject directory(AdminAddress port, Answer answer) {
    JsonObject directory = member(port, answer);
    if (answer instanceof Answer.Told(List<JsonObject> bodies)) {
      directory.add("directory", bodies.get(0));
      directory.add("instances", bodies.get(1).get("instances"));
      directory.add("nodes", bodies.get(2).get("nodes"));
    }
    return directory;
  }

  private static JsonObject bridge(AdminAddress port, Answer answer) {
    JsonObject bridge = member(port, answer);
    if (answer instanceof Answer.Told(List<JsonObject> bodies)) {
      bridge.add("pools", bodies.getFirst().get("pools"));
    }
    return bridge;
  }

  private static JsonObject member(AdminAddress port, Answer answer) {
    JsonObject member = new JsonObject();
    member.addProperty("admin", port.address());
    if (answer instanceof Answer.Failed(String problem)) {
      member.addProperty("error", problem);
    }
    return member;
  }

  private static JsonArray joined(List<CompletableFuture<JsonObject>> asked) {
    JsonArray all = new JsonArray();
    asked.forEach(each -> all.add(each.join()));
    return all;
  }
}
