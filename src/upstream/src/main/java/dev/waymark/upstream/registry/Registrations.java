package dev.waymark.upstream.registry;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The same instances, registered with several directories that know nothing of one another. Each
 * registration lives on its own: a directory that is away does not disturb the others. Thread-safe.
 */
public final class Registrations implements AutoCloseable {
  private final List<Registration> each;

  private Registrations(List<Registration> each) {
    this.each = each;
  }

  /** Joins registrations that have started. */
  public static Registrations of(Registration... each) {
    return new Registrations(List.of(each));
  }

  /** Registers an instance everywhere, or changes it: see {@link Registration#put}. */
  public void put(ServiceInstance instance) {
    each.forEach(one -> one.put(instance));
  }

  /** De-registers an instance everywhere. */
  public void remove(String service, String address) {
    each.forEach(one -> one.remove(service, address));
  }

  /** How each of them stands, in the order in which they were given. */
  public List<RegistrationStatus> statuses() {
    return each.stream().map(Registration::status).toList();
  }

  /**
   * De-registers all instances everywhere and ends.
   *
   * @return complete when all have confirmed it or cannot be reached: in about a second at most
   */
  public CompletableFuture<Void> leave() {
    return CompletableFuture.allOf(
        each.stream().map(Registration::leave).toArray(CompletableFuture<?>[]::new));
  }

  /**
   * De-registers all instances everywhere, at the same time, and ends: {@link Registration#close}.
   */
  @Override
  public void close() {
    each.forEach(Registration::leave);
    each.forEach(Registration::close);
  }
}
