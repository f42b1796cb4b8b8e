package dev.waymark.config;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.waymark.config.Schema.Child;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The shape of the file as a JSON Schema, draft 2020-12, for editors. It expects values in their
 * usual form: words in lower case, numbers without quotes. Rules between keys, and whatever a
 * pattern cannot express, are left to the loader. Confined to its caller.
 */
public final class JsonSchema {
  private static final String ANY_NAME = "*";
  private static final String REQUIRED = "required";
  private static final String PROPERTIES = "properties";
  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

  /** The keywords of a value, in the order of the output. */
  private static final List<String> VALUE_KEYWORDS =
      List.of("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum");

  private final Schema schema;

  private JsonSchema(Schema schema) {
    this.schema = schema;
  }

  /** The schema of a bridge's configuration, with a line feed at its end. */
  public static String text() {
    return text(Schema.BRIDGE);
  }

  static String text(Schema schema) {
    JsonObject root = new JsonObject();
    root.addProperty("$schema", "https://json-schema.org/draft/2020-12/schema");
    root.addProperty("title", "Configuration of a Waymark bridge");
    new JsonSchema(schema).map("").asMap().forEach(root::add);
    return GSON.toJson(root) + "\n";
  }

  private JsonObject map(String prefix) {
    Map<String, Child> children = schema.childrenOf(prefix);
    Child any = children.get(ANY_NAME);
    return any == null ? mapOfKeys(prefix, children.values()) : mapOfNames(prefix, any);
  }

  private JsonObject mapOfNames(String prefix, Child any) {
    JsonObject map = typed("object");
    JsonObject names = new JsonObject();
    names.addProperty("pattern", "^" + LabelReader.LABEL.pattern() + "$");
    map.add("propertyNames", names);
    map.add("additionalProperties", node(prefix, any));
    if (isRequired(prefix, any)) {
      map.addProperty("minProperties", 1);
    }
    return map;
  }

  private JsonObject mapOfKeys(String prefix, Collection<Child> children) {
    JsonObject map = typed("object");
    JsonObject properties = new JsonObject();
    children.forEach(child -> properties.add(child.name(), node(prefix, child)));
    map.add(PROPERTIES, properties);
    map.addProperty("additionalProperties", false);
    List<String> required =
        children.stream().filter(child -> isRequired(prefix, child)).map(Child::name).toList();
    if (!required.isEmpty()) {
      map.add(REQUIRED, array(required));
    }
    List<Key<?, ?>> keys =
        children.stream()
            .filter(Child::isValue)
            .<Key<?, ?>>map(child -> key(prefix, child))
            .toList();
    addTypes(map, keys);
    keys.forEach(key ->
        key.excludes()
            .ifPresent(other -> {
              JsonObject both = new JsonObject();
              both.add(REQUIRED, array(List.of(key.name(), other)));
              map.add("not", both);
            }));
    return map;
  }

  /** Keys that one value of {@code type} requires or allows and all others forbid. */
  private static void addTypes(JsonObject map, List<Key<?, ?>> keys) {
    Map<String, List<Key<?, ?>>> byType = new LinkedHashMap<>();
    keys.forEach(key ->
        key.onlyWithType()
            .ifPresent(word -> byType.computeIfAbsent(word, _ -> new ArrayList<>()).add(key)));
    JsonArray rules = new JsonArray();
    byType.forEach((word, users) -> {
      JsonObject isWord = new JsonObject();
      isWord.addProperty("const", word);
      JsonObject type = new JsonObject();
      type.add("type", isWord);
      JsonObject condition = new JsonObject();
      condition.add(PROPERTIES, type);
      JsonObject needed = new JsonObject();
      needed.add(REQUIRED, array(users.stream().filter(Key::isRequired).map(Key::name).toList()));
      JsonObject none = new JsonObject();
      users.forEach(key -> none.addProperty(key.name(), false));
      JsonObject forbidden = new JsonObject();
      forbidden.add(PROPERTIES, none);
      JsonObject rule = new JsonObject();
      rule.add("if", condition);
      rule.add("then", needed);
      rule.add("else", forbidden);
      rules.add(rule);
    });
    if (!rules.isEmpty()) {
      map.add("allOf", rules);
    }
  }

  private JsonObject node(String prefix, Child child) {
    List<JsonObject> forms = new ArrayList<>();
    if (child.isValue()) {
      forms.add(value(key(prefix, child)));
    }
    if (child.isMap()) {
      forms.add(map(prefix + child.name() + "."));
    }
    if (child.isList()) {
      JsonObject list = typed("array");
      list.addProperty("minItems", 1);
      list.add("items", map(prefix + child.name() + "[]."));
      forms.add(list);
    }
    if (forms.size() == 1) {
      return forms.getFirst();
    }
    JsonObject any = new JsonObject();
    any.add("description", forms.getFirst().get("description"));
    JsonArray each = new JsonArray();
    forms.forEach(each::add);
    any.add("anyOf", each);
    return any;
  }

  private static JsonObject value(Key<?, ?> key) {
    JsonObject value = new JsonObject();
    value.addProperty("description", description(key));
    Map<String, Object> keywords = key.type().schema();
    if (!VALUE_KEYWORDS.containsAll(keywords.keySet())) {
      throw new IllegalStateException("an unknown keyword of " + key + ": " + keywords.keySet());
    }
    VALUE_KEYWORDS.stream()
        .filter(keywords::containsKey)
        .forEach(keyword -> value.add(keyword, GSON.toJsonTree(keywords.get(keyword))));
    key.defaultText().ifPresent(text -> value.add("default", scalar(text, value)));
    if (key.isSecret()) {
      value.addProperty("writeOnly", true);
    }
    return value;
  }

  private static String description(Key<?, ?> key) {
    boolean isInForm = key.type().schema().containsKey("pattern");
    return key.meaning()
        + (isInForm ? " Value: " + key.type().expected() + "." : "")
        + " "
        + key.onReload().sentence()
        + key.flag()
            .map(flag -> " Flag: " + flag + ", " + key.environmentName().orElseThrow() + ".")
            .orElse("");
  }

  /** The default as a JSON value: a number or boolean if the type has them. */
  private static JsonElement scalar(String text, JsonObject value) {
    List<JsonElement> words = value.has("enum") ? value.getAsJsonArray("enum").asList() : List.of();
    return words.stream()
        .filter(word -> word.getAsString().equals(text))
        .findFirst()
        .orElseGet(() -> {
          String type = value.has("type") ? value.get("type").toString() : "";
          boolean isNumber = type.contains("integer") && text.matches("-?[0-9]+");
          boolean isTruth = type.equals("\"boolean\"");
          return isNumber
              ? new JsonPrimitive(Long.parseLong(text))
              : isTruth ? new JsonPrimitive(Boolean.valueOf(text)) : new JsonPrimitive(text);
        });
  }

  /** Whether its map must have it, whatever else the map has. */
  private boolean isRequired(String prefix, Child child) {
    if (child.isValue()) {
      Key<?, ?> key = key(prefix, child);
      return key.isRequired() && key.onlyWithType().isEmpty();
    }
    String names = prefix + child.name() + ".";
    Child any = schema.childrenOf(names).get(ANY_NAME);
    return any != null && isRequired(names, any);
  }

  private Key<?, ?> key(String prefix, Child child) {
    return Objects.requireNonNull(schema.key(prefix + child.name()));
  }

  private static JsonObject typed(String type) {
    JsonObject object = new JsonObject();
    object.addProperty("type", type);
    return object;
  }

  private static JsonArray array(List<String> words) {
    JsonArray array = new JsonArray();
    words.forEach(array::add);
    return array;
  }
}
