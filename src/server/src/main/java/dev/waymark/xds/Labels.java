package dev.waymark.xds;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.xds.proto.Locality;
import dev.waymark.xds.proto.Metadata;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The labels of an endpoint: the texts in its {@code filter_metadata}, whatever they are filed
 * under, and the zone of its locality. What cannot be a label is left out. Stateless.
 */
final class Labels {
  /** What the directory of Waymark files labels under; they win over others of the same name. */
  private static final String OWN = "waymark";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._/-]{1,63}");
  private static final int VALUE_CHARS_MAX = 253;
  private static final int COUNT_MAX = 64;

  private Labels() {}

  static Map<String, String> of(Metadata metadata, Locality locality) {
    Map<String, String> labels = new TreeMap<>();
    if (isValue(locality.getZone()) && !locality.getZone().isEmpty()) {
      labels.put(Endpoint.ZONE, locality.getZone());
    }
    Map<String, Struct> groups = new TreeMap<>(metadata.getFilterMetadataMap());
    Struct own = groups.remove(OWN);
    if (own != null) {
      addMissing(own, labels);
    }
    groups.values().forEach(group -> addMissing(group, labels));
    return labels;
  }

  private static void addMissing(Struct group, Map<String, String> labels) {
    new TreeMap<>(group.getFieldsMap())
        .forEach((name, value) -> {
          boolean isLabel =
              value.getKindCase() == Value.KindCase.STRING_VALUE
                  && isValue(value.getStringValue())
                  && NAME.matcher(name).matches();
          if (isLabel && labels.size() < COUNT_MAX) {
            labels.putIfAbsent(name, value.getStringValue());
          }
        });
  }

  private static boolean isValue(String text) {
    return text.length() <= VALUE_CHARS_MAX && text.chars().noneMatch(Character::isISOControl);
  }
}
