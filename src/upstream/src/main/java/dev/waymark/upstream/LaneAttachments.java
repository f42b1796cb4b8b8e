package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import io.netty.util.collection.LongObjectHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The current attachments of one lane, by connection number (protocol.md, rule 8). Confined to its
 * lane's lock.
 */
final class LaneAttachments {
  private final ServerLane lane;
  private final UpstreamOptions options;
  private final ConnectionHandler.Factory factory;
  private final Attachments registry;
  private final LongObjectHashMap<Attachment> byConnection = new LongObjectHashMap<>();

  /**
   * @param registry the attachments of all lanes of the upstream
   */
  LaneAttachments(
      ServerLane lane,
      UpstreamOptions options,
      ConnectionHandler.Factory factory,
      Attachments registry) {
    this.lane = lane;
    this.options = options;
    this.factory = factory;
    this.registry = registry;
  }

  /** Whether the upstream has room for the connection with this mark. */
  boolean hasRoomFor(String mark) {
    return registry.hasRoomFor(mark);
  }

  /**
   * Attaches a connection and ends its former attachment, on whichever lane that is. No effect if
   * the former attachment has the same or a later epoch.
   */
  void open(long connection, int epoch, Open open, Hello bridge) {
    Attachment attachment = new Attachment(lane, options, connection, epoch, open, bridge);
    Attachment former = registry.add(attachment);
    if (former == attachment) {
      return;
    }
    if (former != null) {
      former.lane().execute(() -> former.lane().endAttachment(former, CloseReason.FENCED));
    }
    Attachment replaced = byConnection.put(connection, attachment);
    if (replaced != null) {
      registry.remove(replaced);
      replaced.onEnd(CloseReason.FENCED);
    }
    attachment.onOpen(factory);
  }

  /** The attachment of this connection in this epoch, or null. */
  @Nullable Attachment find(long connection, int epoch) {
    Attachment attachment = byConnection.get(connection);
    return attachment != null && attachment.epoch() == epoch ? attachment : null;
  }

  /** Removes this attachment, but not its successor, and tells it that it has ended. */
  void end(Attachment attachment, CloseReason reason) {
    registry.remove(attachment);
    if (byConnection.get(attachment.connection()) == attachment) {
      byConnection.remove(attachment.connection());
    }
    attachment.onEnd(reason);
  }

  void endAll(CloseReason reason) {
    List<Attachment> ended = List.copyOf(byConnection.values());
    byConnection.clear();
    for (Attachment attachment : ended) {
      registry.remove(attachment);
      attachment.onEnd(reason);
    }
  }
}
