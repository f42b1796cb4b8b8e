package dev.waymark.sim.history;

import dev.waymark.sim.history.Attachment.Commit;
import dev.waymark.sim.history.Attachment.Start;
import dev.waymark.sim.history.History.Closing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One connection from both ends. Each owner sent a list of commits, of which a first part took
 * effect and the rest did not: what the next owner is told has to be the state behind one of them,
 * and what the client got has to be the bytes of just those. So no request is consumed twice or by
 * nobody, and no reply byte is lost, doubled, moved or made up, without a look into the bridge.
 *
 * <p>An owner without Settings gets each client byte at most once: whatever it was sent counts as
 * consumed, whether it came or not.
 */
final class ConnectionHistory {
  /** Of reasons that a client is told by a reset. */
  private static final Set<String> ABORTIVE =
      Set.of(
          "ABORT",
          "FLOW_CONTROL",
          "COMMIT_INCOMPLETE",
          "PROTOCOL",
          "SLOW_CLIENT",
          "OVERLOAD",
          "INTERNAL",
          "CLIENT_RESET",
          "CLIENT_TIMEOUT");

  /** Reasons that only an upstream can give. */
  private static final Set<String> OF_UPSTREAMS = Set.of("ABORT", "BUSY", "NOT_HERE");

  /** They end an attachment and not the connection. */
  private static final Set<String> OF_ATTACHMENTS = Set.of("FENCED", "MOVED");

  /** What has taken effect. */
  private record State(
      long consumed,
      long committed,
      long replyStart,
      boolean isRepliesEnded,
      byte @Nullable [] context) {
    static final State FIRST = new State(0, 0, 0, false, null);

    State after(Commit commit, boolean isAtMostOnce) {
      long now = committed + commit.bytes().length;
      byte[] left = commit.context() == null ? context : commit.context();
      boolean isReplyEnd = commit.consumed() >= 0 || isAtMostOnce;
      return new State(
          Math.max(consumed, commit.consumed()),
          now,
          isReplyEnd ? now : replyStart,
          isRepliesEnded || commit.isHalfClose(),
          left == null || left.length == 0 ? null : left);
    }

    State consumedTo(long offset) {
      return new State(Math.max(consumed, offset), committed, committed, isRepliesEnded, context);
    }

    /** Client bytes before this one count as consumed. */
    State from(long offset) {
      return new State(offset, committed, replyStart, isRepliesEnded, context);
    }

    boolean isToldBy(Start start, boolean isMoreConsumed) {
      return (start.firstOffset() == consumed || (isMoreConsumed && start.firstOffset() > consumed))
          && start.committed() == committed
          && start.committedSinceConsumed() == committed - replyStart
          && start.isRepliesEnded() == isRepliesEnded
          && Arrays.equals(start.context(), context);
    }
  }

  private final long connection;
  final Bytes clientSent = new Bytes();
  boolean hasClientFinished;
  boolean isFramingBroken;
  final Bytes clientReceived = new Bytes();
  final List<Long> receivedPushes = new ArrayList<>();
  final List<String> loggedReasons = new ArrayList<>();
  final TreeMap<Integer, Attachment> attachments = new TreeMap<>();
  boolean isForged;

  /** Null: it is open. */
  @Nullable Closing closing;

  ConnectionHistory(long connection) {
    this.connection = connection;
  }

  void require(boolean holds, String what) {
    if (!holds) {
      throw new WrongHistoryError(connection, what);
    }
  }

  void check() {
    checkReason();
    if (!isForged) {
      checkStreams();
    }
  }

  // --- the end ---

  private void checkReason() {
    require(closing != null, "the socket is still open");
    require(loggedReasons.size() == 1, "it ended for these reasons: " + loggedReasons);
    String reason = loggedReasons.getFirst();
    require(
        closing != Closing.CLEAN || !ABORTIVE.contains(reason),
        "a client that was to be reset for " + reason + " was told of a clean end");
    boolean isSaid = false;
    for (Attachment attachment : attachments.values()) {
      isSaid |= reason.equals(attachment.said);
      String told = attachment.told;
      boolean isEnd = told != null && !OF_ATTACHMENTS.contains(told);
      require(
          !isEnd || attachment == attachments.lastEntry().getValue(),
          "the connection goes on after an upstream was told " + told);
      require(
          !isEnd || reason.equals(told), "an upstream was told " + told + ", and not " + reason);
    }
    require(isSaid || !OF_UPSTREAMS.contains(reason), "no upstream ever said " + reason);
  }

  // --- both directions ---

  private void checkStreams() {
    Bytes replies = new Bytes();
    List<State> states = List.of(State.FIRST);
    Attachment last = null;
    boolean isMoreConsumed = false;
    for (Attachment next : attachments.values()) {
      Start start = next.start;
      if (start != null) {
        State from = stateTold(states, start, next.epoch, isMoreConsumed);
        if (last != null) {
          effective(last, states.indexOf(from)).forEach(commit -> replies.add(commit.bytes()));
        }
        State begin = from.from(start.firstOffset());
        checkStart(start, next.epoch);
        states = statesAfter(begin, next);
        last = next;
        isMoreConsumed = next.isAtMostOnce;
      } else if (next.isAtMostOnce) {
        // It was sent something for all that is known, and that counts as consumed.
        states = states.stream().map(state -> state.consumedTo(0)).toList();
        isMoreConsumed = true;
      }
    }
    if (last != null) {
      effective(last, states.size() - 1).forEach(commit -> replies.add(commit.bytes()));
    }
    checkReplies(replies, states, last);
  }

  /** All that may hold, depending on how many commits of this owner took effect. */
  private List<State> statesAfter(State begin, Attachment owner) {
    List<State> states = new ArrayList<>();
    State state = begin;
    states.add(leaving(state, owner));
    for (Commit commit : owner.commits) {
      state = state.after(commit, owner.isAtMostOnce);
      states.add(leaving(state, owner));
      if (commit.isLast()) {
        break;
      }
    }
    return states;
  }

  private static State leaving(State state, Attachment owner) {
    long received = owner.received.length();
    Start start = owner.start;
    return owner.isAtMostOnce && start != null
        ? state.consumedTo(start.firstOffset() + received)
        : state;
  }

  private static List<Commit> effective(Attachment owner, int count) {
    return owner.commits.subList(0, count);
  }

  private State stateTold(List<State> states, Start start, int epoch, boolean isMoreConsumed) {
    for (State state : states) {
      if (state.isToldBy(start, isMoreConsumed)) {
        return state;
      }
    }
    throw new WrongHistoryError(
        connection,
        "epoch "
            + epoch
            + " begins with "
            + text(start)
            + ", and may begin with "
            + states.stream().map(ConnectionHistory::text).toList());
  }

  private void checkStart(Start start, int epoch) {
    require(
        start.firstOffset() <= clientSent.length(),
        "epoch " + epoch + " begins behind all that the client sent");
    require(
        start.clientEndedAt() == -1
            || (hasClientFinished && start.clientEndedAt() == clientSent.length()),
        "epoch " + epoch + " is told of the client's end at " + start.clientEndedAt());
  }

  private void checkReplies(Bytes replies, List<State> states, @Nullable Attachment last) {
    int at = clientReceived.firstDifference(replies);
    require(at == -1, "the client got a byte at " + at + " that no owner committed there");
    long got = clientReceived.length();
    if (closing == Closing.CLEAN) {
      require(
          states.stream().anyMatch(state -> state.committed() == got),
          "the client got " + got + " bytes: replies are missing, or a commit is there in part");
    } else {
      require(got <= states.getLast().committed(), "the client got bytes of an older owner");
    }
    boolean isDone = last != null && "DONE".equals(last.told);
    if (isDone && closing == Closing.CLEAN) {
      State end = states.stream().filter(State::isRepliesEnded).findFirst().orElse(null);
      require(end != null && end.committed() == got, "done before all replies were there");
      require(last.hasClientEnded, "done before the upstream knew of the client's end");
      require(
          last.isAtMostOnce
              || states.stream().anyMatch(state -> state.consumed() == clientSent.length()),
          "done before all requests were consumed");
    }
  }

  private static String text(Start start) {
    return text(
        new State(
            start.firstOffset(),
            start.committed(),
            start.committed() - start.committedSinceConsumed(),
            start.isRepliesEnded(),
            start.context()));
  }

  private static String text(State state) {
    return state.consumed
        + " consumed, "
        + state.committed
        + " committed from "
        + state.replyStart
        + (state.isRepliesEnded ? ", ended" : "")
        + (state.context == null ? "" : ", context " + Arrays.toString(state.context));
  }
}
