package dev.waymark.sim.history;

import dev.waymark.sim.history.Attachment.Start;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the clients and upstreams of one run saw. For clients: what they sent and received, and how
 * their sockets closed. For upstreams: what they received and sent. {@link #check} compares the
 * two. Connections are identified by sequence, lanes by number.
 */
public final class History {
  private final Map<Long, ConnectionHistory> connections = new TreeMap<>();
  private final Map<Long, PushHistory> pushes = new TreeMap<>();
  private final Set<Integer> atMostOnce = new HashSet<>();
  private final Set<Integer> pinned = new HashSet<>();
  private final Map<Long, Attachment> owners = new HashMap<>();

  // --- the client's view ---

  public void accepted(long connection) {
    connections.put(connection, new ConnectionHistory(connection));
  }

  public void clientSent(long connection, byte[] bytes) {
    connection(connection).clientSent.add(bytes);
  }

  /** The client has sent FIN. */
  public void clientFinished(long connection) {
    connection(connection).hasClientFinished = true;
  }

  /** The client has broken the framing: its FIN is not passed on. */
  public void clientBrokeFraming(long connection) {
    connection(connection).isFramingBroken = true;
  }

  /** The client's socket took these reply bytes. */
  public void clientReceived(long connection, byte[] bytes) {
    connection(connection).clientReceived.add(bytes);
  }

  /** The client's socket took the last byte of this push. */
  public void clientReceivedPush(long connection, long push) {
    connection(connection).receivedPushes.add(push);
  }

  /** The socket closed; only the first call counts. */
  public void clientClosed(long connection, Closing how) {
    ConnectionHistory known = connection(connection);
    known.closing = known.closing == null ? how : known.closing;
  }

  /** The bridge reported this reason for the end. */
  public void logged(long connection, String reason) {
    connection(connection).loggedReasons.add(reason);
  }

  // --- the upstream's view ---

  /** The bridge sends Open on this lane; it may never reach the upstream. */
  public void assigned(int lane, long connection, int epoch) {
    ConnectionHistory known = connections.get(connection);
    if (known != null) {
      Attachment attachment = new Attachment(lane, epoch);
      attachment.isAtMostOnce = atMostOnce.contains(lane);
      attachment.isPinned = pinned.contains(lane);
      known.attachments.put(epoch, attachment);
      owners.put(connection, attachment);
    }
  }

  /** The bridge closes the attachment: the mode of its lane no longer affects it. */
  public void detached(long connection, int epoch) {
    Attachment owner = owners.get(connection);
    if (owner != null && owner.epoch == epoch) {
      owners.remove(connection);
    }
  }

  /** Connections are pinned to the upstream of this lane, also those that it has now. */
  public void pinned(int lane) {
    pinned.add(lane);
    owners.values().stream()
        .filter(owner -> owner.lane == lane)
        .forEach(owner -> owner.isPinned = true);
  }

  /** The lane is at-most-once, with effect on all attachments that it has now. */
  public void atMostOnce(int lane) {
    if (atMostOnce.add(lane)) {
      owners.values().stream()
          .filter(owner -> owner.lane == lane)
          .forEach(owner -> owner.isAtMostOnce = true);
    }
  }

  /** The upstream receives the first Open of a connection. */
  public void attached(long connection, int epoch) {
    attachment(connection, epoch).start = Start.FIRST;
  }

  /**
   * The upstream receives the Open of a connection that had other owners before.
   *
   * @param committedSinceConsumed reply bytes committed since the end of the last complete reply
   * @param clientEndedAt -1 if the client has not ended its stream
   * @param context null if there is none
   */
  public void attachedAgain(
      long connection,
      int epoch,
      long firstOffset,
      long committed,
      long committedSinceConsumed,
      long clientEndedAt,
      boolean isRepliesEnded,
      byte @Nullable [] context) {
    attachment(connection, epoch).start =
        new Start(
            firstOffset, committed, committedSinceConsumed, clientEndedAt, isRepliesEnded, context);
  }

  /** The upstream receives client bytes. */
  public void upstreamReceived(long connection, int epoch, long offset, byte[] bytes) {
    ConnectionHistory known = connection(connection);
    Attachment attachment = attachment(connection, epoch);
    Start start = attachment.start;
    known.require(start != null, "the upstream received bytes before an Open");
    long expected = start == null ? 0 : start.firstOffset() + attachment.received.length();
    known.require(
        offset == expected, "the upstream received bytes at " + offset + ", expected " + expected);
    known.require(
        known.clientSent.has(offset, bytes),
        "the upstream received bytes at " + offset + " that the client did not send there");
    known.require(!attachment.hasClientEnded, "the upstream received bytes after the client's end");
    attachment.received.add(bytes);
  }

  /** The upstream receives HalfClose. */
  public void upstreamReceivedEnd(long connection, int epoch) {
    ConnectionHistory known = connection(connection);
    Attachment attachment = attachment(connection, epoch);
    Start start = attachment.start;
    long end = attachment.received.length() + (start == null ? 0 : start.firstOffset());
    known.require(
        known.hasClientFinished && !known.isFramingBroken && end == known.clientSent.length(),
        "the upstream received a wrong client end: " + end);
    attachment.hasClientEnded = true;
  }

  /**
   * The upstream sends a frame, which may be lost with its lane.
   *
   * @param consumed -1 if absent
   * @param context null if absent
   * @param close null if absent
   */
  public void upstreamSent(
      long connection,
      int epoch,
      byte[] bytes,
      long consumed,
      byte @Nullable [] context,
      boolean more,
      boolean isHalfClose,
      @Nullable String close,
      boolean isReleased) {
    Attachment attachment = attachment(connection, epoch);
    if (attachment.closeReceived == null) {
      attachment.send(bytes, consumed, context, more, isHalfClose, close != null || isReleased);
      attachment.closeSent = attachment.closeSent == null ? close : attachment.closeSent;
    }
  }

  /** The upstream receives Close. */
  public void upstreamReceivedClose(long connection, int epoch, String reason) {
    ConnectionHistory known = connections.get(connection);
    Attachment attachment = known == null ? null : known.attachments.get(epoch);
    if (attachment != null) {
      attachment.closeReceived = reason;
    }
  }

  /** The upstream has sent frames of another epoch: the bytes of the connection are not checked. */
  public void forged(long connection) {
    connection(connection).isForged = true;
  }

  // --- pushes ---

  /** An upstream pushes to a connection, which may not exist. */
  public void pushed(int lane, long push, long connection) {
    pushes.put(push, new PushHistory(lane, connection));
  }

  /** The upstream receives the result of its push. */
  public void pushAnswered(long push, String outcome) {
    PushHistory known = pushes.get(push);
    if (known == null || known.outcome != null) {
      throw new WrongHistoryError(0, "push " + push + " was answered twice, or never sent");
    }
    known.outcome = outcome;
  }

  // --- the verdict ---

  /** Checks everything recorded, after all connections have closed. */
  public void check() {
    connections.values().forEach(ConnectionHistory::check);
    PushHistory.check(pushes, connections);
  }

  /** The number of connections recorded. */
  public int size() {
    return connections.size();
  }

  private ConnectionHistory connection(long connection) {
    ConnectionHistory known = connections.get(connection);
    if (known == null) {
      throw new WrongHistoryError(connection, "it was never accepted");
    }
    return known;
  }

  private Attachment attachment(long connection, int epoch) {
    Attachment attachment = connection(connection).attachments.get(epoch);
    if (attachment == null) {
      throw new WrongHistoryError(connection, "epoch " + epoch + " was never opened");
    }
    return attachment;
  }

  /** How a client's socket closed. */
  public enum Closing {
    /** The bridge closed it after the client had taken everything. */
    CLEAN,
    /** The bridge reset it. */
    RESET,
    /** The client left. */
    LEFT
  }
}
