package dev.waymark.engine.connection;

import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ReplyDirection;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.Mark;
import java.util.List;
import java.util.Objects;

/**
 * The summary of a connection that has ended, for the access log. Immutable.
 *
 * @param upstreams the addresses that owned it, in order; empty if none ever did
 * @param receivedBytes bytes from the client
 * @param sentBytes bytes that the client's socket took
 * @param durationNs from accept to the socket's close, standstills of the bridge included
 * @param endedBy who caused the end
 */
public record ConnectionSummary(
    Mark mark,
    String listener,
    String clientAddress,
    List<String> upstreams,
    long receivedBytes,
    long sentBytes,
    long durationNs,
    Origin endedBy,
    CloseReason reason) {
  /**
   * Returns the summary of a closed connection.
   *
   * @param elapsedNs now, as {@link ConnectionHost#elapsedNs}
   */
  static ConnectionSummary of(
      ConnectionInfo info,
      Ownership ownership,
      ClientStream client,
      ReplyDirection replies,
      ConnectionEnd end,
      long elapsedNs) {
    return new ConnectionSummary(
        info.mark(),
        info.listener().name(),
        info.clientAddress(),
        ownership.history(),
        client.receivedOffset(),
        replies.writtenBytes(),
        elapsedNs - info.acceptedNs(),
        end.origin(),
        Objects.requireNonNullElse(end.reason(), CloseReason.INTERNAL));
  }
}
