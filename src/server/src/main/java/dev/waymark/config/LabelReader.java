package dev.waymark.config;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** Reads labels. Confined to one load. */
final class LabelReader {
  static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._/-]{1,63}");

  private final Settings settings;

  LabelReader(Settings settings) {
    this.settings = settings;
  }

  /** The labels of a key whose last part is any name. */
  Map<String, String> read(Key<?, String> key, int... at) {
    String prefix = key.at(at).replace("*", "");
    Map<String, String> labels = new LinkedHashMap<>();
    settings
        .values()
        .under(prefix)
        .forEach((name, value) -> {
          if (!LABEL.matcher(name).matches()) {
            settings.refuse(
                key,
                value,
                prefix + Setting.printable(name),
                "a name of 1 to 63 of A-Z, a-z, 0-9, ., _, / and -");
          }
          settings
              .find(key, value, prefix + name)
              .ifPresent(label -> labels.put(name, label.value()));
        });
    return labels;
  }
}
