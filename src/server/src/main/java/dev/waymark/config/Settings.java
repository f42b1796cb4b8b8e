package dev.waymark.config;

import dev.waymark.config.LoadedConfig.Entry;
import dev.waymark.config.Values.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads values by key, remembers what is in force and notes mistakes. Confined to one load. */
final class Settings {
  private final Schema schema;
  private final Values values;
  private final Problems problems;
  private final List<Entry> entries = new ArrayList<>();

  /** By path; each key is read once. */
  private final Map<String, Setting<?>> settings = new HashMap<>();

  Settings(Schema schema, Values values, Problems problems) {
    this.schema = schema;
    this.values = values;
    this.problems = problems;
  }

  /** The values of all keys of a scope, except those that are read by hand. */
  <C> KeyValues<C> readAll(Scope<C> scope, int... at) {
    List<Key<?, ?>> keys = schema.keys(scope).stream().filter(key -> !key.isReadByHand()).toList();
    Map<Key<?, ?>, Object> all = new HashMap<>();
    keys.forEach(key -> readInto(all, key, at));
    keys.forEach(key -> checkBound(key, at));
    return KeyValues.of(all);
  }

  private <T> void readInto(Map<Key<?, ?>, Object> all, Key<?, T> key, int... at) {
    if (key.defaultText().isPresent()) {
      all.put(key, value(key, at));
    } else {
      find(key, at).ifPresent(setting -> all.put(key, setting.value()));
    }
  }

  /** A bound applies to the values in force, wherever they come from. */
  private <C, T> void checkBound(Key<C, T> key, int... at) {
    key.bound()
        .ifPresent(bound -> {
          Setting<T> self = get(key, at);
          Setting<T> other = get(bound.other(), at);
          Setting<T> low = bound.isOtherLow() ? other : self;
          Setting<T> high = bound.isOtherLow() ? self : other;
          checkOrder(low, high, bound.isEqualAllowed());
        });
  }

  /** The value in force of a key that has a default. */
  <T> Setting<T> get(Key<?, T> key, int... at) {
    return get(key, key.defaultText().orElseThrow(), at);
  }

  /** The value alone. */
  <T> T value(Key<?, T> key, int... at) {
    return get(key, at).value();
  }

  /** The value in force of a key whose default depends on something else. */
  <T> Setting<T> get(Key<?, T> key, String defaultText, int... at) {
    String path = key.at(at);
    Optional<Setting<T>> known = known(key, path);
    if (known.isPresent()) {
      return known.get();
    }
    Value value = values.value(path).orElseGet(() -> new Value(defaultText, byDefault(key, path)));
    Setting<T> setting =
        read(key, value, path)
            .orElseGet(() ->
                new Setting<>(
                    key, path, key.trusted(defaultText), value.text(), value.origin(), true));
    settings.put(path, setting);
    return setting;
  }

  private Origin.Default byDefault(Key<?, ?> key, String path) {
    Optional<Origin.File> near = values.near(path);
    String setter =
        near.isEmpty()
            ? key.flag()
                .map(flag -> flag + " or " + key.environmentName().orElseThrow())
                .orElse(path)
            : path;
    return new Origin.Default(near, setter);
  }

  /** The configured value; empty if there is none, or a wrong one. */
  <T> Optional<Setting<T>> find(Key<?, T> key, int... at) {
    String path = key.at(at);
    Optional<Setting<T>> known = known(key, path);
    if (known.isPresent()) {
      return known;
    }
    Optional<Setting<T>> found = values.value(path).flatMap(value -> read(key, value, path));
    found.ifPresent(setting -> settings.put(path, setting));
    return found;
  }

  private <T> Optional<Setting<T>> known(Key<?, T> key, String path) {
    Setting<?> known = settings.get(path);
    if (known == null || known.key() != key) {
      return Optional.empty();
    }
    @SuppressWarnings("unchecked") // it was read by this key
    Setting<T> typed = (Setting<T>) known;
    return Optional.of(typed);
  }

  /** Notes what is wrong with a value that is not used. */
  void check(Key<?, ?> key) {
    values
        .value(key.path())
        .ifPresent(value -> {
          try {
            var _ = key.type().reader().read(value.text());
          } catch (BadValueException bad) {
            refuse(key, value, key.path(), bad.expected());
          }
        });
  }

  /** The configured value of a required key in this element of a list. */
  <T> Optional<Setting<T>> demand(Key<?, T> key, Origin.File element, int... at) {
    if (values.value(key.at(at)).isEmpty()) {
      refuse(element, key.at(at) + ": missing (expected: " + key.type().expected() + ")");
    }
    return find(key, at);
  }

  /** The value of a key whose path ends with any name. */
  <T> Optional<Setting<T>> find(Key<?, T> key, Value value, String path) {
    return read(key, value, path);
  }

  private <T> Optional<Setting<T>> read(Key<?, T> key, Value value, String path) {
    entries.add(new Entry(key, path, value.text(), value.origin()));
    try {
      T read = key.type().reader().read(value.text());
      return Optional.of(new Setting<>(key, path, read, value.text(), value.origin(), false));
    } catch (BadValueException bad) {
      refuse(key, value, path, bad.expected());
      return Optional.empty();
    }
  }

  /** Notes that a value does not go with the rest. */
  void refuse(Setting<?> setting, String expected) {
    refuse(setting, expected, "");
  }

  /**
   * Notes that a value does not go with the rest, and how to fix it.
   *
   * @param remedy appended to the line as it is, so it starts with its punctuation
   */
  void refuse(Setting<?> setting, String expected, String remedy) {
    if (!setting.isRefused()) {
      problems.addLine(setting.origin(), setting.refusal(expected) + remedy);
    }
  }

  /**
   * Notes that a key is set, although it has no effect without something else: whoever sets it
   * believes otherwise. Its default may be written out, as {@code config show} does.
   */
  <T> void refuseAlone(Key<?, T> key, String expected, int... at) {
    find(key, at)
        .filter(setting -> !key.defaultValue().equals(Optional.of(setting.value())))
        .ifPresent(setting -> refuse(setting, expected));
  }

  /** Notes a mistake in the file that a setting names; the line names its place there. */
  void refuseLine(Setting<?> setting, String line) {
    problems.addLine(setting.origin(), line);
  }

  /** Notes what is wrong with the file that a value names. */
  void refuseFile(Setting<?> setting, String what) {
    Origin origin = setting.origin();
    problems.addLine(origin, origin.fileRefusal(setting.path(), what));
  }

  /** Notes that a value is not valid. */
  void refuse(Key<?, ?> key, Value value, String path, String expected) {
    Origin origin = value.origin();
    String shown = Setting.printable(key.shown(value.text()));
    problems.addLine(origin, origin.refusal(path, shown, expected));
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
   * Checks that one setting is below another; if not, refuses the one that is not a default.
   *
   * @param isEqualAllowed whether they may be the same
   */
  <T> void checkOrder(Setting<T> low, Setting<T> high, boolean isEqualAllowed) {
    int order = low.key().type().order().orElseThrow().compare(low.value(), high.value());
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
