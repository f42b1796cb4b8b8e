package dev.waymark.sim.history;

import dev.waymark.sim.history.Attachment.Start;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What clients and upstreams of one run saw: clients what they sent, what their sockets took and
 * how they closed; upstreams what they were given and what they sent. {@link #check} compares the
 * two. A connection is its sequence, a lane its number.
 */
public final class History {
  private final Map<Long, ConnectionHistory> connections = new TreeMap<>();
  private final Map<Long, PushHistory> pushes = new TreeMap<>();
  private final Set<Integer> atMostOnce = new HashSet<>();
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

  /** The client has sent what is no message: whatever follows does not count. */
  public void clientBrokeFraming(long connection) {
    connection(connection).isFramingBroken = true;
  }

  /** Reply bytes that the client's socket took. */
  public void clientReceived(long connection, byte[] bytes) {
    connection(connection).clientReceived.add(bytes);
  }

  /** The client's socket took the last byte of this push. */
  public void clientReceivedPush(long connection, long push) {
    connection(connection).receivedPushes.add(push);
  }

  /** How the socket closed. */
  public void clientClosed(long connection, Closing how) {
    ConnectionHistory known = connection(connection);
    known.closing = known.closing == null ? how : known.closing;
  }

  /** The reason in the bridge's access log. */
  public void logged(long connection, String reason) {
    connection(connection).loggedReasons.add(reason);
  }

  // --- the upstream's view ---

  /** The bridge gives the connection to this lane; whether the upstream hears of it is open. */
  public void assigned(int lane, long connection, int epoch) {
    ConnectionHistory known = connections.get(connection);
    if (known != null) {
      Attachment attachment = new Attachment(lane, epoch);
      attachment.isAtMostOnce = atMostOnce.contains(lane);
      known.attachments.put(epoch, attachment);
      owners.put(connection, attachment);
    }
  }

  /** The bridge closes the attachment: what becomes of its lane from now on does not concern it. */
  public void takenAway(long connection, int epoch) {
    Attachment owner = owners.get(connection);
    if (owner != null && owner.epoch == epoch) {
      owners.remove(connection);
    }
  }

  /** This lane is one without Settings: what it has been given since it had a connection counts. */
  public void atMostOnce(int lane) {
    if (atMostOnce.add(lane)) {
      owners.values().stream()
          .filter(owner -> owner.lane == lane)
          .forEach(owner -> owner.isAtMostOnce = true);
    }
  }

  /** The upstream has been given a new connection. */
  public void attached(long connection, int epoch) {
    attachment(connection, epoch).start = Start.FIRST;
  }

  /**
   * The upstream has been given a connection that had another owner before.
   *
   * @param committedSinceConsumed how many reply bytes took effect since a reply last ended
   * @param clientEndedAt -1: not known
   * @param context null: none
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

  /** Client bytes have come to the upstream. */
  public void upstreamReceived(long connection, int epoch, long offset, byte[] bytes) {
    ConnectionHistory known = connection(connection);
    Attachment attachment = attachment(connection, epoch);
    Start start = attachment.start;
    known.require(start != null, "bytes for an upstream that was not given the connection");
    long expected = start == null ? 0 : start.firstOffset() + attachment.received.length();
    known.require(
        offset == expected,
        "the upstream is sent bytes at " + offset + " and expects them at " + expected);
    known.require(
        known.clientSent.has(offset, bytes),
        "the upstream is sent bytes at " + offset + " that the client did not send there");
    known.require(!attachment.hasClientEnded, "bytes behind the client's end");
    attachment.received.add(bytes);
  }

  /** The upstream is told that the client has ended its stream. */
  public void upstreamReceivedEnd(long connection, int epoch) {
    ConnectionHistory known = connection(connection);
    Attachment attachment = attachment(connection, epoch);
    Start start = attachment.start;
    long end = attachment.received.length() + (start == null ? 0 : start.firstOffset());
    known.require(
        known.hasClientFinished && !known.isFramingBroken && end == known.clientSent.length(),
        "the upstream is told of the client's end at " + end);
    attachment.hasClientEnded = true;
  }

  /**
   * The upstream sends a frame, which may be lost with its lane.
   *
   * @param consumed -1: absent
   * @param context null: absent
   * @param close null: the connection goes on
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
    if (attachment.told == null) {
      attachment.send(bytes, consumed, context, more, isHalfClose, close != null || isReleased);
      attachment.said = attachment.said == null ? close : attachment.said;
    }
  }

  /** The upstream is told that the attachment is over, and why. */
  public void upstreamTold(long connection, int epoch, String reason) {
    ConnectionHistory known = connections.get(connection);
    Attachment attachment = known == null ? null : known.attachments.get(epoch);
    if (attachment != null) {
      attachment.told = reason;
    }
  }

  /** The upstream has sent frames in the name of others: of replies nothing is known any more. */
  public void forged(long connection) {
    connection(connection).isForged = true;
  }

  // --- pushes ---

  /** An upstream pushes to a connection, which may not be there. */
  public void pushed(int lane, long push, long connection) {
    pushes.put(push, new PushHistory(lane, connection));
  }

  /** The upstream is told what became of its push. */
  public void pushAnswered(long push, String outcome) {
    PushHistory known = pushes.get(push);
    if (known == null || known.outcome != null) {
      throw new WrongHistoryError(0, "push " + push + " is answered without need");
    }
    known.outcome = outcome;
  }

  // --- the verdict ---

  /** The run is over, every connection is closed. */
  public void check() {
    connections.values().forEach(ConnectionHistory::check);
    PushHistory.check(pushes, connections);
  }

  /** Connections of which something is known. */
  public int size() {
    return connections.size();
  }

  private ConnectionHistory connection(long connection) {
    ConnectionHistory known = connections.get(connection);
    if (known == null) {
      throw new WrongHistoryError(connection, "nobody has accepted it");
    }
    return known;
  }

  private Attachment attachment(long connection, int epoch) {
    Attachment attachment = connection(connection).attachments.get(epoch);
    if (attachment == null) {
      throw new WrongHistoryError(connection, "no upstream was given epoch " + epoch);
    }
    return attachment;
  }

  /** How a client's socket closed. */
  public enum Closing {
    /** The bridge closed it when everything had been taken. */
    CLEAN,
    /** The bridge reset it. */
    RESET,
    /** The client left. */
    LEFT
  }
}
