package dev.waymark.etcd;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.protobuf.ByteString;
import dev.waymark.config.BadValueException;
import dev.waymark.config.ServiceAddress;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import java.io.IOException;
import java.io.StringReader;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An instance as the value of a key, in the form of etcd's Go package naming/endpoints (struct
 * Update in its package internal): {@code {"Op":0,"Addr":"10.0.0.1:50051","Metadata":null}}. What
 * else there is to say of an instance is in {@code Metadata}, which that package hands to its users
 * as it is: {@code {"weight":3,"priority":1,"labels":{"zone":"eu-1a"},"health":"DRAINING","load":
 * {"utilisation":0.5,"inFlight":7}}}, all of it optional. Others put there what they like, so
 * whatever is not of this form is as good as absent. Stateless.
 */
public final class NamingValue {
  /** The longest value that is read, and that should be written. */
  public static final int VALUE_BYTES_MAX = 32 * 1024;

  private static final String ADDRESS = "Addr";
  private static final String METADATA = "Metadata";
  private static final String WEIGHT = "weight";
  private static final String PRIORITY = "priority";
  private static final String LABELS = "labels";
  private static final String HEALTH = "health";
  private static final String LOAD = "load";
  private static final String UTILISATION = "utilisation";
  private static final String CAPACITY = "capacity";
  private static final String IN_FLIGHT = "inFlight";
  private static final String MEMORY = "memory";
  private static final String REQUESTS = "requestsPerSecond";
  private static final String ERRORS = "errorsPerSecond";

  private static final int WEIGHT_MAX = 1_000;
  private static final int PRIORITY_MAX = 100;
  private static final int LABELS_MAX = 64;
  private static final int LABEL_CHARS_MAX = 253;
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._/-]{1,63}");

  private static final Gson GSON =
      new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

  private NamingValue() {}

  // --- read ---

  /**
   * Reads a value.
   *
   * @throws BadValueException if it names no address, in one clause
   */
  public static Instance read(String service, ByteString value) throws BadValueException {
    if (value.size() > VALUE_BYTES_MAX) {
      throw new BadValueException("at most " + VALUE_BYTES_MAX + " bytes");
    }
    JsonObject update = object(value);
    String address = text(field(update, ADDRESS));
    if (address.isEmpty()) {
      throw new BadValueException("an address in " + ADDRESS);
    }
    JsonObject metadata = asObject(field(update, METADATA));
    return new Instance(
        service,
        address(address),
        whole(metadata.get(WEIGHT), 1, WEIGHT_MAX),
        whole(metadata.get(PRIORITY), 0, PRIORITY_MAX),
        labels(asObject(metadata.get(LABELS))),
        health(text(metadata.get(HEALTH))),
        load(asObject(metadata.get(LOAD))));
  }

  private static String address(String text) throws BadValueException {
    try {
      return ServiceAddress.read(text);
    } catch (BadValueException unusable) {
      throw new BadValueException("in " + ADDRESS + " " + unusable.expected());
    }
  }

  private static JsonObject object(ByteString value) throws BadValueException {
    if (value.isValidUtf8()) {
      try (JsonReader in = new JsonReader(new StringReader(value.toStringUtf8()))) {
        in.setStrictness(Strictness.STRICT);
        JsonElement read = JsonParser.parseReader(in);
        if (read instanceof JsonObject object && in.peek() == JsonToken.END_DOCUMENT) {
          return object;
        }
      } catch (IOException | JsonParseException notJson) {
        throw notAnObject();
      }
    }
    throw notAnObject();
  }

  private static BadValueException notAnObject() {
    return new BadValueException("a JSON object with an address in " + ADDRESS);
  }

  /** As Go does it: of the exact name, or else of one that differs in case. */
  private static @Nullable JsonElement field(JsonObject in, String name) {
    if (in.has(name)) {
      return in.get(name);
    }
    return in.entrySet().stream()
        .filter(each -> each.getKey().equalsIgnoreCase(name))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(null);
  }

  private static JsonObject asObject(@Nullable JsonElement element) {
    return element instanceof JsonObject object ? object : new JsonObject();
  }

  private static String text(@Nullable JsonElement element) {
    return element instanceof JsonPrimitive value ? value.getAsString() : "";
  }

  private static double number(@Nullable JsonElement element) {
    double number =
        element instanceof JsonPrimitive value && value.isNumber() ? value.getAsDouble() : 0;
    return Double.isFinite(number) && number > 0 ? number : 0;
  }

  /** The nearest number allowed; the smallest if it is not a whole number. */
  private static int whole(@Nullable JsonElement element, int min, int max) {
    double number = number(element);
    return number == Math.rint(number) ? (int) Math.clamp(number, min, max) : min;
  }

  private static Map<String, String> labels(JsonObject in) {
    Map<String, String> labels = new TreeMap<>();
    for (Map.Entry<String, JsonElement> each : in.entrySet()) {
      String value = text(each.getValue());
      if (labels.size() < LABELS_MAX
          && LABEL.matcher(each.getKey()).matches()
          && each.getValue().isJsonPrimitive()
          && value.length() <= LABEL_CHARS_MAX
          && value.chars().noneMatch(Character::isISOControl)) {
        labels.put(each.getKey(), value);
      }
    }
    return labels;
  }

  private static Health health(String text) {
    return Stream.of(Health.values())
        .filter(each -> each.name().equalsIgnoreCase(text))
        .findFirst()
        .orElse(Health.HEALTHY);
  }

  private static LoadReport load(JsonObject in) {
    return new LoadReport(
        number(in.get(UTILISATION)),
        whole(in.get(CAPACITY), 0, Integer.MAX_VALUE),
        whole(in.get(IN_FLIGHT), 0, Integer.MAX_VALUE),
        number(in.get(MEMORY)),
        number(in.get(REQUESTS)),
        number(in.get(ERRORS)));
  }

  // --- write ---

  /** Returns the value for an instance, as Go would write it. */
  public static ByteString write(Instance instance) {
    JsonObject metadata = metadata(instance);
    JsonObject update = new JsonObject();
    update.addProperty("Op", 0);
    update.addProperty(ADDRESS, instance.address());
    update.add(METADATA, metadata.isEmpty() ? JsonNull.INSTANCE : metadata);
    // Such characters can only be in texts; Go escapes them, and it does no harm.
    String json =
        GSON.toJson(update).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
    return ByteString.copyFromUtf8(json);
  }

  private static JsonObject metadata(Instance instance) {
    JsonObject metadata = new JsonObject();
    if (instance.weight() != 1) {
      metadata.addProperty(WEIGHT, instance.weight());
    }
    if (instance.priority() != 0) {
      metadata.addProperty(PRIORITY, instance.priority());
    }
    if (!instance.labels().isEmpty()) {
      JsonObject labels = new JsonObject();
      new TreeMap<>(instance.labels()).forEach(labels::addProperty);
      metadata.add(LABELS, labels);
    }
    if (instance.health() != Health.HEALTHY) {
      metadata.addProperty(HEALTH, instance.health().name());
    }
    JsonObject load = load(instance.load());
    if (!load.isEmpty()) {
      metadata.add(LOAD, load);
    }
    return metadata;
  }

  private static JsonObject load(LoadReport report) {
    JsonObject load = new JsonObject();
    addKnown(load, UTILISATION, report.utilisation());
    addKnown(load, CAPACITY, report.capacity());
    addKnown(load, IN_FLIGHT, report.inFlight());
    addKnown(load, MEMORY, report.memory());
    addKnown(load, REQUESTS, report.requestsPerSecond());
    addKnown(load, ERRORS, report.errorsPerSecond());
    return load;
  }

  /** JSON has no numbers that are not finite. */
  private static void addKnown(JsonObject to, String name, double number) {
    if (number > 0 && Double.isFinite(number)) {
      boolean isWhole = number == Math.rint(number) && number <= Integer.MAX_VALUE;
      to.addProperty(name, isWhole ? (Number) (int) number : (Number) number);
    }
  }
}
