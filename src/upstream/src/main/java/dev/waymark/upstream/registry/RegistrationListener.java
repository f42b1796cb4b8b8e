package dev.waymark.upstream.registry;

/** Learns how a registration stands. */
@FunctionalInterface
public interface RegistrationListener {
  /**
   * The status has changed. Called on the registration's scheduler, one call at a time, without a
   * lock; must not block. Exceptions are logged and have no other effect.
   */
  void onStatus(RegistrationStatus status);
}
