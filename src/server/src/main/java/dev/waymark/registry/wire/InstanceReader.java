package dev.waymark.registry.wire;

import dev.waymark.config.BadValueException;
import dev.waymark.config.ServiceAddress;
import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.LoadReport;
import dev.waymark.v1.Load;
import java.util.Map;
import java.util.regex.Pattern;

/** Reads instances that a peer describes; registry.proto has their limits. Stateless. */
public final class InstanceReader {
  private static final Pattern SERVICE = Pattern.compile("[A-Za-z0-9._-]{1,253}");
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._/-]{1,63}");
  private static final int ADDRESS_CHARS_MAX = 300;
  private static final int WEIGHT_MAX = 1_000;
  private static final int PRIORITY_MAX = 100;
  private static final int LABELS_MAX = 64;
  private static final int LABEL_CHARS_MAX = 253;

  /** Nothing that is counted per second is more. */
  private static final double RATE_MAX = 1e12;

  /** An overloaded process may report more than 1, but not anything. */
  private static final double UTILISATION_MAX = 100;

  private InstanceReader() {}

  /**
   * Returns an instance, with one spelling for its address.
   *
   * @throws BadInstanceException if a field is outside its limits
   */
  public static Instance read(dev.waymark.v1.Instance said) throws BadInstanceException {
    return new Instance(
        service(said.getService()),
        address(said.getAddress()),
        Math.max(1, number("weight", said.getWeight(), WEIGHT_MAX)),
        number("priority", said.getPriority(), PRIORITY_MAX),
        labels(said.getLabelsMap()),
        switch (said.getHealth()) {
          case HEALTHY -> Instance.Health.HEALTHY;
          case DRAINING -> Instance.Health.DRAINING;
          case UNHEALTHY -> Instance.Health.UNHEALTHY;
          case UNRECOGNIZED ->
              throw new BadInstanceException(
                  "health", said.getHealthValue(), "HEALTHY, DRAINING or UNHEALTHY");
        },
        said.hasLoad() ? load(said.getLoad()) : LoadReport.UNKNOWN);
  }

  /**
   * Returns a key, with one spelling for its address.
   *
   * @throws BadInstanceException if it cannot be that of an instance
   */
  public static InstanceKey read(dev.waymark.v1.InstanceKey said) throws BadInstanceException {
    return new InstanceKey(service(said.getService()), address(said.getAddress()));
  }

  /**
   * Returns the name of a service.
   *
   * @throws BadInstanceException if no service can have it
   */
  public static String service(String name) throws BadInstanceException {
    if (!SERVICE.matcher(name).matches()) {
      throw new BadInstanceException("service", name, "1 to 253 of A-Z, a-z, 0-9, ., _ and -");
    }
    return name;
  }

  private static String address(String text) throws BadInstanceException {
    try {
      if (text.length() <= ADDRESS_CHARS_MAX) {
        return ServiceAddress.read(text);
      }
    } catch (BadValueException bad) {
      throw new BadInstanceException("address", text, bad.expected());
    }
    throw new BadInstanceException("address", text, "at most " + ADDRESS_CHARS_MAX + " characters");
  }

  private static int number(String what, int value, int max) throws BadInstanceException {
    if (value < 0 || value > max) {
      throw new BadInstanceException(what, Integer.toUnsignedString(value), "0 to " + max);
    }
    return value;
  }

  private static Map<String, String> labels(Map<String, String> labels)
      throws BadInstanceException {
    if (labels.size() > LABELS_MAX) {
      throw new BadInstanceException("labels", labels.size(), "at most " + LABELS_MAX);
    }
    for (Map.Entry<String, String> label : labels.entrySet()) {
      if (!LABEL.matcher(label.getKey()).matches()) {
        throw new BadInstanceException(
            "name of a label", label.getKey(), "1 to 63 of A-Z, a-z, 0-9, ., _, / and -");
      }
      String value = label.getValue();
      if (value.length() > LABEL_CHARS_MAX || value.chars().anyMatch(Character::isISOControl)) {
        throw new BadInstanceException(
            "label " + label.getKey(),
            value,
            "at most " + LABEL_CHARS_MAX + " characters without control characters");
      }
    }
    return labels;
  }

  /**
   * Returns a load.
   *
   * @throws BadInstanceException if a field is negative, not a number or absurdly large
   */
  public static LoadReport load(Load said) throws BadInstanceException {
    return new LoadReport(
        share("load.utilisation", said.getUtilisation(), UTILISATION_MAX),
        number("load.capacity", said.getCapacity(), Integer.MAX_VALUE),
        number("load.in_flight", said.getInFlight(), Integer.MAX_VALUE),
        share("load.memory", said.getMemory(), 1),
        share("load.requests_per_second", said.getRequestsPerSecond(), RATE_MAX),
        share("load.errors_per_second", said.getErrorsPerSecond(), RATE_MAX));
  }

  private static double share(String what, double value, double max) throws BadInstanceException {
    if (!(value >= 0 && value <= max)) {
      throw new BadInstanceException(what, value, "0 to " + max);
    }
    return value;
  }
}
