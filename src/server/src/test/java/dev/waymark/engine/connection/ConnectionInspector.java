package dev.waymark.engine.connection;

import org.jspecify.annotations.Nullable;

/** Gives tests in other packages access to internals of a connection. Stateless. */
public final class ConnectionInspector {
  private ConnectionInspector() {}

  public static boolean isHandingOver(Connection connection) {
    return connection.ownership().isHandingOver();
  }

  /** Returns the destination of the current handover, or null if there is none or it is open. */
  public static @Nullable Owner handOverTo(Connection connection) {
    Ownership.HandOver handOver = connection.ownership().handOver();
    return handOver == null ? null : handOver.destination();
  }

  /** Injects a defect: the connection seems to have lost an owner that nobody else used. */
  public static void blame(Connection connection) {
    connection.ownership().onLoss(new Evidence.Loss(Evidence.Company.NOBODY, 0, 0), 0);
  }

  /** Injects a defect: all evidence against the connection is forgotten. */
  public static void forgive(Connection connection) {
    connection.ownership().onProgress();
  }
}
