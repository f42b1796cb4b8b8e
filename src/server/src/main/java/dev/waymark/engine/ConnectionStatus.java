package dev.waymark.engine;

import dev.waymark.protocol.Mark;
import org.jspecify.annotations.Nullable;

/**
 * A connection as it is now, for operators. Immutable.
 *
 * @param upstream its owner; null while it waits for one
 * @param unconsumedBytes client bytes that the owner is not done with
 * @param queuedBytes reply bytes that the client's socket has not taken
 */
public record ConnectionStatus(
    Mark mark,
    String listener,
    String clientAddress,
    String localAddress,
    String pool,
    @Nullable String upstream,
    String phase,
    long acceptedUnixMs,
    long receivedBytes,
    long sentBytes,
    long unconsumedBytes,
    long queuedBytes) {
  static ConnectionStatus of(Connection connection) {
    Arrival arrival = connection.arrival();
    Lane owner = connection.lane();
    ClientStream client = connection.client().stream();
    ReplyDelivery delivery = connection.replies().delivery();
    return new ConnectionStatus(
        arrival.mark(),
        arrival.listener().name(),
        arrival.clientAddress(),
        arrival.localAddress(),
        connection.pool().options().name(),
        owner == null ? null : owner.upstream().address(),
        phase(connection),
        arrival.acceptedUnixMs(),
        client.receivedOffset(),
        delivery.writtenBytes(),
        client.receivedOffset() - client.consumedOffset(),
        delivery.queuedBytes());
  }

  private static String phase(Connection connection) {
    if (connection.isLive()) {
      return connection.isWaiting() ? "waiting" : "attached";
    }
    return connection.end().isClosing() ? "closing" : "closed";
  }
}
