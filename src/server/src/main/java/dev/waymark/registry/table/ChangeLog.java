package dev.waymark.registry.table;

import dev.waymark.registry.InstanceKey;

/**
 * The last changes of a table: which instance each concerned, and if it was removed, why. Each
 * change raises the version by one, so that a reader who knows a version finds what came after it
 * without a search. The oldest changes are forgotten; readers who need those start over. Confined
 * to one thread.
 */
public final class ChangeLog {
  /** How an instance changed. */
  public enum Kind {
    /** It is new, or different. */
    PUT,
    /** Its node has de-registered it. */
    DEREGISTERED,
    /** Its node was not heard of for its TTL. */
    EXPIRED
  }

  /** A change. Immutable. */
  public record Change(InstanceKey key, Kind kind) {}

  private final Change[] ring;

  /** Not 0, which is the version of somebody who knows nothing. */
  private long version = 1;

  /**
   * @param changesMax how many changes are remembered
   */
  ChangeLog(int changesMax) {
    this.ring = new Change[changesMax];
  }

  void add(InstanceKey key, Kind kind) {
    ring[(int) (version % ring.length)] = new Change(key, kind);
    version++;
  }

  /** One more than the number of changes so far. */
  public long version() {
    return version;
  }

  /** Whether all changes after this version are still known. */
  public boolean reaches(long from) {
    return from > 0 && from <= version && version - from <= ring.length;
  }

  /** The change that followed this version; only if the log reaches it, and it is not the last. */
  public Change after(long from) {
    return ring[(int) (from % ring.length)];
  }
}
