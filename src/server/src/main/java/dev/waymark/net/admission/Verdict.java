package dev.waymark.net.admission;

import org.jspecify.annotations.Nullable;

/** What becomes of somebody who connects. Immutable. */
public sealed interface Verdict {
  /**
   * May stay.
   *
   * @param source to be handed back to {@link Admission#leave} when the connection has ended; null
   *     if connections are not counted by source
   */
  record Admitted(@Nullable Source source) implements Verdict {
    static final Admitted UNCOUNTED = new Admitted(null);
  }

  /**
   * Has to go.
   *
   * @param detail what exactly was in the way, for people: the network, or the source and its limit
   */
  record Refused(Why why, String detail) implements Verdict {}

  /** The limit that refuses. */
  enum Why {
    /** The narrowest network with the address is a denied one. */
    NETWORK_DENIED,
    /** The address is in none of the allowed networks. */
    NETWORK_NOT_ALLOWED,
    /** The source has all the connections that it may have. */
    SOURCE_CONNECTIONS,
    /** The source connects too often. */
    SOURCE_RATE,
    /** Too many connect at once. */
    ACCEPT_RATE,
    /** Too many connect at once for the time since the start. */
    ACCEPT_RAMP
  }
}
