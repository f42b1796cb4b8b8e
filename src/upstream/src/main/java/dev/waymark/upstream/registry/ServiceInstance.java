package dev.waymark.upstream.registry;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * One instance of a service, as it is registered: {@code ServiceInstance.of("echo",
 * "10.0.0.7:4770").withLabel("zone", "eu-1a")}. Immutable. The limits are those of registry.proto.
 *
 * @param service the name under which others look for it: 1 to 253 of a-z, A-Z, 0-9, '.', '_' and
 *     '-'
 * @param address where it serves, as others reach it: host:port, IPv6 in brackets, or unix:/path
 * @param weight its share of new work relative to the others, 1 to 1000
 * @param priority 0 to 100; it gets work only while no instance with a lower number serves
 * @param labels anything worth knowing about it, at most 64: names of 1 to 63 characters, values of
 *     at most 253; {@code zone} says where it is
 */
public record ServiceInstance(
    String service,
    String address,
    int weight,
    int priority,
    Map<String, String> labels,
    Health health,
    InstanceLoad load) {
  private static final Pattern SERVICE = Pattern.compile("[A-Za-z0-9._-]{1,253}");
  private static final Pattern ADDRESS =
      Pattern.compile("unix:/[!-~]{1,107}|[!-~]{1,255}:[0-9]{1,5}");
  private static final int WEIGHT_MAX = 1_000;
  private static final int PRIORITY_MAX = 100;
  private static final int LABELS_MAX = 64;
  private static final int LABEL_NAME_MAX = 63;
  private static final int LABEL_VALUE_MAX = 253;

  /** What the instance says of itself. */
  public enum Health {
    /** It serves. */
    HEALTHY,
    /** It serves what it has, and wants nothing new. */
    DRAINING,
    /** It is registered, but must not be used. */
    UNHEALTHY
  }

  /**
   * Checks the limits.
   *
   * @throws IllegalArgumentException if one is exceeded; the message says which
   */
  public ServiceInstance {
    labels = Map.copyOf(labels);
    check(
        SERVICE.matcher(service).matches(),
        "service: " + service + " (expected: 1 to 253 of a-z, A-Z, 0-9, '.', '_' and '-')");
    check(
        ADDRESS.matcher(address).matches(),
        "address: " + address + " (expected: HOST:PORT or unix:/PATH)");
    check(
        weight >= 1 && weight <= WEIGHT_MAX,
        "weight: " + weight + " (expected: 1 to " + WEIGHT_MAX + ")");
    check(
        priority >= 0 && priority <= PRIORITY_MAX,
        "priority: " + priority + " (expected: 0 to " + PRIORITY_MAX + ")");
    check(labels.size() <= LABELS_MAX, "labels: more than " + LABELS_MAX);
    labels.forEach((name, value) -> {
      check(
          !name.isEmpty() && name.length() <= LABEL_NAME_MAX,
          "label " + name + ": names have 1 to " + LABEL_NAME_MAX + " characters");
      check(
          value.length() <= LABEL_VALUE_MAX,
          "label " + name + ": values have at most " + LABEL_VALUE_MAX + " characters");
    });
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  /** A healthy instance of weight 1 and priority 0, without labels and load. */
  public static ServiceInstance of(String service, String address) {
    return new ServiceInstance(
        service, address, 1, 0, Map.of(), Health.HEALTHY, InstanceLoad.UNKNOWN);
  }

  /** The same with another weight. */
  public ServiceInstance withWeight(int value) {
    return new ServiceInstance(service, address, value, priority, labels, health, load);
  }

  /** The same with another priority. */
  public ServiceInstance withPriority(int value) {
    return new ServiceInstance(service, address, weight, value, labels, health, load);
  }

  /** The same with one more label. */
  public ServiceInstance withLabel(String name, String value) {
    Map<String, String> all = new LinkedHashMap<>(labels);
    all.put(name, value);
    return withLabels(all);
  }

  /** The same with these labels in place of its own. */
  public ServiceInstance withLabels(Map<String, String> value) {
    return new ServiceInstance(service, address, weight, priority, value, health, load);
  }

  /** The same with another health. */
  public ServiceInstance withHealth(Health value) {
    return new ServiceInstance(service, address, weight, priority, labels, value, load);
  }

  /** The same with another load. */
  public ServiceInstance withLoad(InstanceLoad value) {
    return new ServiceInstance(service, address, weight, priority, labels, health, value);
  }

  /** What identifies it. */
  public InstanceKey key() {
    return new InstanceKey(service, address);
  }
}
