package dev.waymark.tools.directory.dns;

import org.jspecify.annotations.Nullable;

/** A name that exists in the zone. */
@FunctionalInterface
interface Place {
  /** A name without records, which exists because there are others below it (RFC 8020). */
  Place EMPTY = _ -> null;

  /** The records of one type; null if there are none. */
  @Nullable RecordSet records(RecordType type);
}
