package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionInspector;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.pool.ShardPool;
import dev.waymark.protocol.Check;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** Gives the simulation access to internals of a shard, and injects defects. Stateless. */
public final class ShardInspector {
  private ShardInspector() {}

  public static void checkInvariants(Shard shard) {
    shard.checkInvariants();
  }

  /** Checks each lane's counts against the connections that are attached and moving to it. */
  public static void checkCounts(Shard shard, Collection<Lane> lanes) {
    Map<Lane, Integer> coming = new HashMap<>();
    for (Lane lane : lanes) {
      int[] counts = new int[2];
      shard.forEachOn(
          lane,
          connection -> {
            counts[0]++;
            counts[1] += ConnectionInspector.isHandingOver(connection) ? 1 : 0;
            if (ConnectionInspector.handOverTo(connection) instanceof Lane destination) {
              coming.merge(destination, 1, Integer::sum);
            }
          });
      Check.that(
          lane.connectionCount() == counts[0],
          "connectionCount equals the connections attached to the lane");
      Check.that(
          lane.stayingCount() == counts[0] - counts[1],
          "stayingCount excludes the connections handing over");
    }
    for (Lane lane : lanes) {
      int expected = lane.stayingCount() + coming.getOrDefault(lane, 0);
      Check.that(
          lane.expectedCount() == expected,
          "expectedCount includes the connections moving to the lane");
    }
  }

  /** Injects a defect: the pools forget all waiting connections. */
  public static void forgetWaiting(Shard shard) {
    forEach(
        shard,
        connection -> {
          if (connection.isWaiting()) {
            pool(shard, connection).stopWaiting(connection);
          }
        });
  }

  /** Injects a defect: attached connections are queued for placement again. */
  public static void placeAttached(Shard shard) {
    forEach(
        shard,
        connection -> {
          if (connection.owner() != null) {
            pool(shard, connection).assignAgain(connection);
          }
        });
  }

  /** Injects a defect: every suspect seems to have lost an owner that nobody else used. */
  public static void blameAll(Shard shard) {
    forEach(
        shard,
        connection -> {
          if (connection.ownership().isSuspect()) {
            ConnectionInspector.blame(connection);
          }
        });
  }

  /** Injects a defect: the losses of all connections are forgotten. */
  public static void forgiveAll(Shard shard) {
    forEach(shard, ConnectionInspector::forgive);
  }

  private static void forEach(Shard shard, Consumer<Connection> action) {
    shard.forEach(action);
  }

  private static ShardPool pool(Shard shard, Connection connection) {
    return Objects.requireNonNull(shard.pool(connection.info().listener().pool()));
  }

  public static boolean isAtMostOnce(Lane lane) {
    return lane.isAtMostOnce();
  }
}
