package dev.waymark.core;

/** Opens what the simulation needs of a shard and nobody else does. Stateless. */
public final class ShardInspector {
  private ShardInspector() {}

  public static void checkInvariants(Shard shard) {
    shard.checkInvariants();
  }

  /** The lane's upstream counts as one that does not acknowledge. */
  public static boolean isPlain(Lane lane) {
    return lane.isNeverAcknowledging();
  }
}
