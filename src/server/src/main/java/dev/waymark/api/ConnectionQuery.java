package dev.waymark.api;

import dev.waymark.net.admission.Network;
import org.jspecify.annotations.Nullable;

/**
 * Which open connections to list: those to which everything applies that is not null. Immutable.
 *
 * @param limit how many at most
 * @param upstream address of the owner
 * @param source network of the client's address, as a proxy in front of the bridge named it, if one
 *     did
 */
public record ConnectionQuery(
    int limit,
    @Nullable String mark,
    @Nullable String listener,
    @Nullable String pool,
    @Nullable String upstream,
    @Nullable Network source) {
  /** Whether it lists all connections up to the limit. */
  public boolean isForAll() {
    return mark == null && listener == null && pool == null && upstream == null && source == null;
  }
}
