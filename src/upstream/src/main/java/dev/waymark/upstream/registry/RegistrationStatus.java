package dev.waymark.upstream.registry;

import java.time.Instant;
import java.util.Map;

/**
 * How the registration with one directory stands. Immutable.
 *
 * @param directory its name, for people
 * @param isRegistered whether the directory has answered, so that it knows the instances; it may
 *     know them for up to one TTL longer
 * @param since when it became so
 * @param problem why it is not registered, as far as known; empty if it is, or at the start
 * @param refused the instances that the directory did not take, and why; the others are registered
 */
public record RegistrationStatus(
    String directory,
    boolean isRegistered,
    Instant since,
    String problem,
    Map<InstanceKey, String> refused) {
  /** Copies the map. */
  public RegistrationStatus {
    refused = Map.copyOf(refused);
  }
}
