package dev.waymark.core;

/** Opens what the simulation needs of a shard and nobody else does. Stateless. */
public final class ShardInspector {
  private ShardInspector() {}

  public static void checkInvariants(Shard shard) {
    shard.checkInvariants();
  }
}
