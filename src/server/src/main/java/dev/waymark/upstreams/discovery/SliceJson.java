package dev.waymark.upstreams.discovery;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.waymark.config.BadValueException;
import dev.waymark.config.HostPort;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.upstreams.discovery.EndpointSlice.Condition;
import dev.waymark.upstreams.discovery.EndpointSlice.Member;
import dev.waymark.upstreams.names.UpstreamAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads the JSON of EndpointSlices (discovery.k8s.io/v1). What is not as expected costs the
 * smallest thing that has it: an endpoint, a slice of a list, or the answer. Immutable.
 */
final class SliceJson {
  /** Of the name of an object in Kubernetes. */
  private static final int NAME_CHARS_MAX = 253;

  /** Of a label's value in a list of upstreams. */
  private static final int ZONE_CHARS_MAX = 253;

  private static final int EXPIRED = 410;
  private static final int WEIGHT = 1;

  private final String port;

  /**
   * @param port a number, which all endpoints are dialled at, or the name that a slice gives one
   */
  SliceJson(String port) {
    this.port = port;
  }

  /**
   * Reads a list.
   *
   * @throws JsonParseException if it is not one
   */
  SlicePage page(byte[] body) {
    try (JsonReader in = reader(body)) {
      JsonObject metadata = new JsonObject();
      List<EndpointSlice> slices = new ArrayList<>();
      in.beginObject();
      while (in.hasNext()) {
        String name = in.nextName();
        // One slice after the other: the whole as a tree would take many times its bytes.
        if (name.equals("items") && in.peek() == JsonToken.BEGIN_ARRAY) {
          in.beginArray();
          while (in.hasNext()) {
            slice(asObject(JsonParser.parseReader(in))).ifPresent(slices::add);
          }
          in.endArray();
        } else if (name.equals("metadata")) {
          metadata = asObject(JsonParser.parseReader(in));
        } else {
          in.skipValue();
        }
      }
      in.endObject();
      return new SlicePage(version(metadata), text(metadata, "continue"), slices);
    } catch (IOException | IllegalStateException notAsExpected) {
      throw new JsonParseException(notAsExpected);
    }
  }

  /**
   * Reads a line of a watch.
   *
   * @throws JsonParseException if it is not one
   * @throws ApiException if it says that the watch has failed
   */
  WatchEvent event(byte[] line) throws ApiException {
    JsonObject event = tree(line);
    JsonObject object = object(event, "object");
    String type = text(event, "type");
    if (type.equals("ERROR")) {
      String message = "the watch failed: " + text(object, "message");
      throw text(object, "code").equals(Integer.toString(EXPIRED))
          ? ApiException.expired(message)
          : ApiException.failed(message);
    }
    String version = version(object(object, "metadata"));
    if (type.equals("BOOKMARK")) {
      return new WatchEvent.Bookmark(version);
    }
    EndpointSlice slice =
        slice(object).orElseThrow(() -> new JsonParseException("an EndpointSlice without a name"));
    return switch (type) {
      case "ADDED", "MODIFIED" -> new WatchEvent.Put(version, slice);
      case "DELETED" -> new WatchEvent.Deleted(version, slice.name());
      default -> throw new JsonParseException("an event of an unknown type");
    };
  }

  /** The message of a Status, with which the API server explains an error; else empty. */
  static String statusMessage(byte[] body) {
    try {
      return text(tree(body), "message");
    } catch (JsonParseException notAStatus) {
      return "";
    }
  }

  private static String version(JsonObject metadata) {
    String version = text(metadata, "resourceVersion");
    if (version.isEmpty()) {
      throw new JsonParseException("no resourceVersion");
    }
    return version;
  }

  // --- slices ---

  private Optional<EndpointSlice> slice(JsonObject slice) {
    String name = text(object(slice, "metadata"), "name");
    if (name.isEmpty() || name.length() > NAME_CHARS_MAX) {
      return Optional.empty();
    }
    // The third type, FQDN, is deprecated, and nothing in Kubernetes uses it.
    String type = text(slice, "addressType");
    List<JsonObject> endpoints =
        type.equals("IPv4") || type.equals("IPv6")
            ? objects(slice, "endpoints").toList()
            : List.of();
    Optional<String> number = portNumber(slice);
    List<Member> members =
        number.stream()
            .flatMap(at -> endpoints.stream().flatMap(each -> member(each, at).stream()))
            .toList();
    return Optional.of(new EndpointSlice(name, members, endpoints.size(), number.isPresent()));
  }

  private Optional<String> portNumber(JsonObject slice) {
    if (Character.isDigit(port.charAt(0)) && port.chars().allMatch(Character::isDigit)) {
      return Optional.of(port);
    }
    return objects(slice, "ports")
        .filter(each -> text(each, "name").equals(port))
        .filter(each -> !each.has("protocol") || text(each, "protocol").equals("TCP"))
        .map(each -> text(each, "port"))
        .filter(number -> !number.isEmpty())
        .findFirst();
  }

  private static Condition condition(JsonObject endpoint) {
    JsonObject conditions = object(endpoint, "conditions");
    // A terminating pod that publishes its address before it is ready would still count as ready.
    if (isTrue(conditions, "terminating", false)) {
      return Condition.TERMINATING;
    }
    return isTrue(conditions, "ready", true) ? Condition.READY : Condition.NOT_READY;
  }

  /** Empty if it cannot be read. */
  private static Optional<Member> member(JsonObject endpoint, String port) {
    String zone = text(endpoint, Endpoint.ZONE);
    boolean isLabel =
        !zone.isEmpty()
            && zone.length() <= ZONE_CHARS_MAX
            && zone.chars().noneMatch(Character::isISOControl);
    return address(endpoint, port)
        .map(found -> new Endpoint(found, WEIGHT, isLabel ? Map.of(Endpoint.ZONE, zone) : Map.of()))
        .map(upstream -> new Member(upstream, condition(endpoint)));
  }

  /** Only the first address counts: the others, if ever there are some, have no agreed meaning. */
  private static Optional<String> address(JsonObject endpoint, String port) {
    JsonElement first =
        endpoint.get("addresses") instanceof JsonArray all && !all.isEmpty() ? all.get(0) : null;
    String ip = first instanceof JsonPrimitive text ? text.getAsString() : "";
    try {
      HostPort address =
          HostPort.dialled((ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip) + ":" + port);
      return address.isIp() && ip.indexOf('%') < 0
          ? Optional.of(
              UpstreamAddress.format(InetAddress.ofLiteral(address.host()), address.port()))
          : Optional.empty();
    } catch (BadValueException unusable) {
      return Optional.empty();
    }
  }

  // --- JSON ---

  private static JsonReader reader(byte[] json) {
    JsonReader reader =
        new JsonReader(new InputStreamReader(new ByteArrayInputStream(json), UTF_8));
    reader.setStrictness(Strictness.STRICT);
    return reader;
  }

  private static JsonObject tree(byte[] json) {
    try (JsonReader in = reader(json)) {
      return asObject(JsonParser.parseReader(in));
    } catch (IOException | IllegalStateException notJson) {
      throw new JsonParseException(notJson);
    }
  }

  private static JsonObject asObject(JsonElement element) {
    return element instanceof JsonObject object ? object : new JsonObject();
  }

  private static JsonObject object(JsonObject in, String name) {
    return in.get(name) instanceof JsonObject object ? object : new JsonObject();
  }

  /** A text or number; empty if it is neither. */
  private static String text(JsonObject in, String name) {
    return in.get(name) instanceof JsonPrimitive value ? value.getAsString() : "";
  }

  /** Null is as good as absent. */
  private static boolean isTrue(JsonObject in, String name, boolean ifAbsent) {
    JsonElement value = in.get(name);
    if (value == null || value.isJsonNull()) {
      return ifAbsent;
    }
    return value instanceof JsonPrimitive truth && truth.getAsBoolean();
  }

  private static Stream<JsonObject> objects(JsonObject in, String name) {
    return in.get(name) instanceof JsonArray list
        ? list.asList().stream().map(SliceJson::asObject)
        : Stream.of();
  }
}
