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

/** Opens what the simulation needs of a shard and nobody else does. Stateless. */
public final class ShardInspector {
  private ShardInspector() {}

  public static void checkInvariants(Shard shard) {
    shard.checkInvariants();
  }

  /** What lanes count of their connections is what these are. */
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
      Check.that(lane.connectionCount() == counts[0], "a lane counts its connections");
      Check.that(
          lane.stayingCount() == counts[0] - counts[1], "a lane counts those that are leaving");
    }
    for (Lane lane : lanes) {
      int expected = lane.stayingCount() + coming.getOrDefault(lane, 0);
      Check.that(lane.expectedCount() == expected, "a lane counts those that are to come");
    }
  }

  /** A defect: nobody knows any more of those that wait for an owner. */
  public static void forgetWaiting(Shard shard) {
    forEach(
        shard,
        connection -> {
          if (connection.isWaiting()) {
            pool(shard, connection).stopWaiting(connection);
          }
        });
  }

  /** A defect: those that have an owner are to be given another. */
  public static void placeAttached(Shard shard) {
    forEach(
        shard,
        connection -> {
          if (connection.owner() != null) {
            pool(shard, connection).assignAgain(connection);
          }
        });
  }

  /** A defect: whoever has lost an owner seems to have been alone with it. */
  public static void blameAll(Shard shard) {
    forEach(
        shard,
        connection -> {
          if (connection.ownership().isSuspect()) {
            ConnectionInspector.blame(connection);
          }
        });
  }

  /** A defect: no loss speaks against anybody for long. */
  public static void forgiveAll(Shard shard) {
    forEach(shard, ConnectionInspector::forgive);
  }

  private static void forEach(Shard shard, Consumer<Connection> action) {
    shard.forEach(action);
  }

  private static ShardPool pool(Shard shard, Connection connection) {
    return Objects.requireNonNull(shard.pool(connection.info().listener().pool()));
  }

  /** The lane's upstream counts as one that does not acknowledge. */
  public static boolean isAtMostOnce(Lane lane) {
    return lane.isAtMostOnce();
  }
}
