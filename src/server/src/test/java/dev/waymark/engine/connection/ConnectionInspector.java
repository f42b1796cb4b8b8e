package dev.waymark.engine.connection;

import org.jspecify.annotations.Nullable;

/** Opens what tests of other packages need of a connection and nobody else does. Stateless. */
public final class ConnectionInspector {
  private ConnectionInspector() {}

  public static boolean isHandingOver(Connection connection) {
    return connection.ownership().isHandingOver();
  }

  /** Where a handover that is under way leads to; null: it is not known, or there is none. */
  public static @Nullable Owner handOverTo(Connection connection) {
    Ownership.HandOver handOver = connection.ownership().handOver();
    return handOver == null ? null : handOver.destination();
  }

  /** A defect: it seems to have lost an owner that nobody else used. */
  public static void blame(Connection connection) {
    connection.ownership().onLoss(new Evidence.Loss(Evidence.Company.NOBODY, 0, 0), 0);
  }

  /** A defect: nothing speaks against it any more. */
  public static void forgive(Connection connection) {
    connection.ownership().onProgress();
  }
}
