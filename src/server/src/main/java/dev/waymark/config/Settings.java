package dev.waymark.config;

import dev.waymark.config.LoadedConfig.Entry;
import dev.waymark.config.Values.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads values by key, keeps what is in force, and notes what is wrong. Confined to one load. */
final class Settings {
  /** Two values in force, of which the first is not above the second. */
  record Range<T>(T min, T max) {}

  private final Values values;
  private final Problems problems;
  private final List<Entry> entries = new ArrayList<>();

  Settings(Values values, Problems problems) {
    this.values = values;
    this.problems = problems;
  }

  /** The value in force of a key that has a default. */
  <T> Setting<T> get(Key<T> key, int... at) {
    return get(key, key.defaultText().orElseThrow(), at);
  }

  /** The same where nothing else is to be known of it. */
  <T> T value(Key<T> key, int... at) {
    return get(key, at).value();
  }

  /** The values in force of two keys, of which the first may not be above the second. */
  <T extends Comparable<? super T>> Range<T> range(Key<T> low, Key<T> high, int... at) {
    Setting<T> min = get(low, at);
    Setting<T> max = get(high, at);
    checkOrder(min, max, true);
    return new Range<>(min.value(), max.value());
  }

  /** The value in force, with a default that is known only now. */
  <T> Setting<T> get(Key<T> key, String defaultText, int... at) {
    Value value =
        values
            .value(key.at(at))
            .orElseGet(() -> new Value(defaultText, byDefault(key, key.at(at))));
    return read(key, value, key.at(at))
        .orElseGet(() ->
            new Setting<>(
                key.at(at), trusted(key, defaultText), value.text(), value.origin(), true));
  }

  private Origin.Default byDefault(Key<?> key, String path) {
    Optional<Origin.File> near = values.near(path);
    String setter =
        near.isEmpty() && key.flag().isPresent()
            ? key.flag().get() + " or " + Key.environmentName(key.flag().get())
            : path;
    return new Origin.Default(near, setter);
  }

  /** What was said; empty if nothing was, or something wrong. */
  <T> Optional<Setting<T>> find(Key<T> key, int... at) {
    return values.value(key.at(at)).flatMap(value -> read(key, value, key.at(at)));
  }

  /** Notes what is wrong with a value that is not in force here. */
  void check(Key<?> key) {
    values
        .value(key.path())
        .ifPresent(value -> {
          try {
            Object unused = key.type().reader().read(value.text());
          } catch (BadValueException bad) {
            refuse(value, key.path(), bad.expected());
          }
        });
  }

  /** What was said in this element of a list, where something must be. */
  <T> Optional<Setting<T>> demand(Key<T> key, Origin.File element, int... at) {
    if (values.value(key.at(at)).isEmpty()) {
      refuse(element, key.at(at) + ": missing (expected: " + key.type().expected() + ")");
    }
    return find(key, at);
  }

  /** The same for a key whose path ends with any name. */
  <T> Optional<Setting<T>> find(Key<T> key, Value value, String path) {
    return read(key, value, path);
  }

  private <T> Optional<Setting<T>> read(Key<T> key, Value value, String path) {
    entries.add(new Entry(path, value.text(), value.origin()));
    try {
      T read = key.type().reader().read(value.text());
      return Optional.of(new Setting<>(path, read, value.text(), value.origin(), false));
    } catch (BadValueException bad) {
      refuse(value, path, bad.expected());
      return Optional.empty();
    }
  }

  private static <T> T trusted(Key<T> key, String text) {
    try {
      return key.type().reader().read(text);
    } catch (BadValueException defect) {
      throw new IllegalStateException("the default of " + key.path() + " is refused", defect);
    }
  }

  /** Notes that a value does not go with the rest. */
  void refuse(Setting<?> setting, String expected) {
    refuse(setting, expected, "");
  }

  /**
   * The same.
   *
   * @param remedy to follow it, with its punctuation
   */
  void refuse(Setting<?> setting, String expected, String remedy) {
    if (!setting.isRefused()) {
      problems.addLine(setting.origin(), setting.refusal(expected) + remedy);
    }
  }

  /** Notes that a value is not what it should be. */
  void refuse(Value value, String path, String expected) {
    Origin origin = value.origin();
    problems.addLine(origin, origin.refusal(path, Setting.printable(value.text()), expected));
  }

  /** Notes anything else that is wrong at a place in the file. */
  void refuse(Origin.File at, String what) {
    problems.add(at, what);
  }

  Values values() {
    return values;
  }

  /** Key, value and origin of all that was read, in the order of reading. */
  List<Entry> entries() {
    return entries;
  }

  /**
   * Checks that one setting is below another, and blames the one that somebody set.
   *
   * @param isEqualAllowed whether they may be the same
   */
  <T extends Comparable<? super T>> void checkOrder(
      Setting<T> low, Setting<T> high, boolean isEqualAllowed) {
    int order = low.value().compareTo(high.value());
    if (order < 0 || (order == 0 && isEqualAllowed) || low.isRefused() || high.isRefused()) {
      return;
    }
    String mark = isEqualAllowed ? "= " : " ";
    String lowName = low.nameBeside(high);
    String highName = high.nameBeside(low);
    if (low.isDefault() && !high.isDefault()) {
      refuse(high, ">" + mark + lowName + " " + low.text(), "; raise it or lower " + lowName);
    } else {
      refuse(low, "<" + mark + highName + " " + high.text(), "; lower it or raise " + highName);
    }
  }
}
