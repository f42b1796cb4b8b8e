package dev.waymark.engine.connection;

import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ReplyDirection;
import dev.waymark.protocol.Mark;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of a connection, for operators. Immutable.
 *
 * @param upstream its owner; null while it waits for one
 * @param unconsumedBytes client bytes that were received and are not consumed
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
  static ConnectionStatus of(
      ConnectionInfo info,
      Ownership ownership,
      ClientStream client,
      ReplyDirection replies,
      ConnectionEnd end) {
    Owner owner = ownership.owner();
    return new ConnectionStatus(
        info.mark(),
        info.listener().name(),
        info.clientAddress(),
        info.localAddress(),
        info.listener().pool(),
        owner == null ? null : owner.upstreamAddress(),
        phase(owner, end),
        info.acceptedUnixMs(),
        client.receivedOffset(),
        replies.writtenBytes(),
        client.receivedOffset() - client.consumedOffset(),
        replies.queuedBytes());
  }

  private static String phase(@Nullable Owner owner, ConnectionEnd end) {
    if (end.isLive()) {
      return owner == null ? "waiting" : "attached";
    }
    return end.isClosing() ? "closing" : "closed";
  }
}
