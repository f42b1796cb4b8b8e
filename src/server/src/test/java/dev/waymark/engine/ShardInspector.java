package dev.waymark.engine;

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
            Ownership.HandOver handOver = connection.ownership().handOver();
            counts[0]++;
            counts[1] += handOver == null ? 0 : 1;
            if (handOver != null && handOver.destination() != null) {
              coming.merge((Lane) handOver.destination(), 1, Integer::sum);
            }
          });
      Check.that(lane.connectionCount() == counts[0], "a lane counts its connections");
      Check.that(
          lane.connections().stayingCount() == counts[0] - counts[1],
          "a lane counts those that are leaving");
    }
    for (Lane lane : lanes) {
      int expected = lane.connections().stayingCount() + coming.getOrDefault(lane, 0);
      Check.that(
          lane.connections().expectedCount() == expected, "a lane counts those that are to come");
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
          if (connection.lane() != null) {
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
            connection.ownership().onLoss(new Evidence.Loss(Evidence.Company.NOBODY, 0, 0), 0);
          }
        });
  }

  /** A defect: no loss speaks against anybody for long. */
  public static void forgiveAll(Shard shard) {
    forEach(shard, connection -> connection.ownership().onProgress());
  }

  private static void forEach(Shard shard, Consumer<Connection> action) {
    shard.forEach(action);
  }

  private static ShardPool pool(Shard shard, Connection connection) {
    return Objects.requireNonNull(shard.pool(connection.arrival().listener().pool()));
  }

  /** The lane's upstream counts as one that does not acknowledge. */
  public static boolean isPlain(Lane lane) {
    return lane.isNeverAcknowledging();
  }
}
