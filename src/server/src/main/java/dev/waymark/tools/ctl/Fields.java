package dev.waymark.tools.ctl;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The fields of a JSON object that another version may have written: what is missing or of another
 * kind is empty, zero or false. Texts have no control characters, so that they can be printed.
 */
record Fields(JsonObject object) {
  String text(String name) {
    return object.get(name) instanceof JsonPrimitive value ? printable(value.getAsString()) : "";
  }

  /** Empty if it is not a number. */
  OptionalLong number(String name) {
    return object.get(name) instanceof JsonPrimitive value && value.isNumber()
        ? OptionalLong.of(value.getAsLong())
        : OptionalLong.empty();
  }

  long count(String name) {
    return number(name).orElse(0);
  }

  double decimal(String name) {
    return object.get(name) instanceof JsonPrimitive value && value.isNumber()
        ? value.getAsDouble()
        : 0;
  }

  boolean isTrue(String name) {
    return object.get(name) instanceof JsonPrimitive value && value.getAsBoolean();
  }

  boolean has(String name) {
    return object.get(name) instanceof JsonObject;
  }

  Fields in(String name) {
    return new Fields(object.get(name) instanceof JsonObject inner ? inner : new JsonObject());
  }

  List<Fields> list(String name) {
    return elements(name)
        .filter(JsonObject.class::isInstance)
        .map(each -> new Fields((JsonObject) each))
        .toList();
  }

  List<String> texts(String name) {
    return elements(name)
        .filter(JsonPrimitive.class::isInstance)
        .map(each -> printable(each.getAsString()))
        .toList();
  }

  /** The fields of an object that are texts, in the order of their names. */
  Map<String, String> map(String name) {
    Map<String, String> texts = new TreeMap<>();
    Fields inner = in(name);
    inner.object.keySet().forEach(key -> texts.put(printable(key), inner.text(key)));
    return texts;
  }

  private Stream<JsonElement> elements(String name) {
    return object.get(name) instanceof JsonArray list ? list.asList().stream() : Stream.of();
  }

  private static String printable(String text) {
    return text.replaceAll("\\p{C}", "?");
  }
}
