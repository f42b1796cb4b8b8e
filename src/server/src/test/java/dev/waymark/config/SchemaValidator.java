package dev.waymark.config;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * Validates YAML against a JSON Schema, draft 2020-12. Supports the keywords that {@link
 * JsonSchema} uses and throws on any other. Confined to its caller.
 */
final class SchemaValidator {
  private static final Set<String> ANNOTATIONS =
      Set.of("$schema", "title", "description", "default", "writeOnly");

  private final List<String> errors = new ArrayList<>();

  private SchemaValidator() {}

  /** Returns one error per violation, each with its place; empty if the document is valid. */
  static List<String> errors(JsonObject schema, String yaml) {
    Object document = new Load(LoadSettings.builder().build()).loadFromString(yaml);
    return errors(schema, new Gson().toJsonTree(document));
  }

  static List<String> errors(JsonObject schema, JsonElement value) {
    SchemaValidator validator = new SchemaValidator();
    validator.check(schema, value, "");
    return validator.errors;
  }

  private void check(JsonElement schema, JsonElement value, String at) {
    if (schema instanceof JsonPrimitive constant) {
      expect(constant.getAsBoolean(), at, "false");
      return;
    }
    JsonObject rules = schema.getAsJsonObject();
    for (Map.Entry<String, JsonElement> rule : rules.entrySet()) {
      if (!ANNOTATIONS.contains(rule.getKey())) {
        check(rules, rule.getKey(), rule.getValue(), value, at);
      }
    }
  }

  private void check(
      JsonObject rules, String keyword, JsonElement rule, JsonElement value, String at) {
    switch (keyword) {
      case "type" -> expect(isOfType(rule, value), at, keyword);
      case "enum" -> expect(rule.getAsJsonArray().contains(value), at, keyword);
      case "const" -> expect(rule.equals(value), at, keyword);
      case "pattern" -> expect(!isText(value) || matches(rule, value), at, keyword);
      case "minLength" -> expect(!isText(value) || length(value) >= rule.getAsInt(), at, keyword);
      case "maxLength" -> expect(!isText(value) || length(value) <= rule.getAsInt(), at, keyword);
      case "minimum" ->
          expect(!isNumber(value) || value.getAsDouble() >= rule.getAsDouble(), at, keyword);
      case "maximum" ->
          expect(!isNumber(value) || value.getAsDouble() <= rule.getAsDouble(), at, keyword);
      case "anyOf" -> expect(anyHolds(rule.getAsJsonArray(), value), at, keyword);
      case "allOf" -> rule.getAsJsonArray().forEach(each -> check(each, value, at));
      case "not" -> expect(!holds(rule, value), at, keyword);
      case "if" -> check(rules.get(holds(rule, value) ? "then" : "else"), value, at);
      case "then", "else" -> expect(rules.has("if"), at, keyword);
      case "items", "minItems" -> checkList(keyword, rule, value, at);
      case "properties", "additionalProperties", "propertyNames", "required", "minProperties" ->
          checkMap(rules, keyword, rule, value, at);
      default -> throw new IllegalArgumentException(at + ": unknown keyword " + keyword);
    }
  }

  private void checkList(String keyword, JsonElement rule, JsonElement value, String at) {
    if (!(value instanceof JsonArray list)) {
      return;
    }
    if (keyword.equals("minItems")) {
      expect(list.size() >= rule.getAsInt(), at, keyword);
      return;
    }
    for (int i = 0; i < list.size(); i++) {
      check(rule, list.get(i), at + "[" + i + "]");
    }
  }

  private void checkMap(
      JsonObject rules, String keyword, JsonElement rule, JsonElement value, String at) {
    if (!(value instanceof JsonObject map)) {
      return;
    }
    String prefix = at.isEmpty() ? "" : at + ".";
    switch (keyword) {
      case "properties" ->
          map.entrySet()
              .forEach(entry -> {
                JsonElement schema = rule.getAsJsonObject().get(entry.getKey());
                if (schema != null) {
                  check(schema, entry.getValue(), prefix + entry.getKey());
                }
              });
      case "additionalProperties" ->
          map.entrySet().stream()
              .filter(entry ->
                  !rules.has("properties")
                      || !rules.getAsJsonObject("properties").has(entry.getKey()))
              .forEach(entry -> check(rule, entry.getValue(), prefix + entry.getKey()));
      case "propertyNames" ->
          map.keySet().forEach(name -> check(rule, new JsonPrimitive(name), prefix + name));
      case "required" ->
          rule.getAsJsonArray()
              .forEach(name -> expect(map.has(name.getAsString()), at, "required"));
      default -> expect(map.size() >= rule.getAsInt(), at, keyword);
    }
  }

  private void expect(boolean holds, String at, String keyword) {
    if (!holds) {
      errors.add(at + ": " + keyword);
    }
  }

  private static boolean holds(JsonElement schema, JsonElement value) {
    SchemaValidator validator = new SchemaValidator();
    validator.check(schema, value, "");
    return validator.errors.isEmpty();
  }

  private static boolean anyHolds(JsonArray schemas, JsonElement value) {
    return schemas.asList().stream().anyMatch(schema -> holds(schema, value));
  }

  private static boolean isOfType(JsonElement types, JsonElement value) {
    return types instanceof JsonArray several
        ? several.asList().stream().anyMatch(type -> isOfType(type, value))
        : switch (types.getAsString()) {
          case "object" -> value.isJsonObject();
          case "array" -> value.isJsonArray();
          case "string" -> isText(value);
          case "number" -> isNumber(value);
          case "integer" -> isNumber(value) && value.getAsDouble() == value.getAsLong();
          case "boolean" -> value instanceof JsonPrimitive constant && constant.isBoolean();
          default -> throw new IllegalArgumentException("unknown type " + types);
        };
  }

  private static boolean isText(JsonElement value) {
    return value instanceof JsonPrimitive text && text.isString();
  }

  private static boolean isNumber(JsonElement value) {
    return value instanceof JsonPrimitive number && number.isNumber();
  }

  private static int length(JsonElement text) {
    return text.getAsString().codePointCount(0, text.getAsString().length());
  }

  private static boolean matches(JsonElement pattern, JsonElement text) {
    return Pattern.compile(pattern.getAsString()).matcher(text.getAsString()).find();
  }
}
