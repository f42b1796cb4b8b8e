package dev.waymark.upstream.registry;

/**
 * What identifies an instance. Immutable.
 *
 * @param service the name under which others look for it
 * @param address where it serves
 */
public record InstanceKey(String service, String address) {
  /** For example, "echo at 10.0.0.7:4770". */
  @Override
  public String toString() {
    return service + " at " + address;
  }
}
