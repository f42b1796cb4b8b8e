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
 * One connection, as both ends saw it. Each owner sent a list of commits, of which some prefix took
 * effect. The Open of the next owner must state the result of exactly one such prefix, and the
 * client must have received exactly the bytes of these prefixes. This shows, without looking into
 * the bridge, that no request is consumed twice or skipped, and that no reply byte is lost,
 * duplicated, reordered or invented.
 *
 * <p>An owner without Settings gets each client byte at most once: all bytes sent to it count as
 * consumed, whether they arrived or not.
 */
final class ConnectionHistory {
  /** Reasons for which the bridge resets the client's socket. */
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
  private static final Set<String> UPSTREAM_ONLY = Set.of("ABORT", "BUSY", "NOT_HERE");

  /** Reasons that end an attachment but not the connection. */
  private static final Set<String> ATTACHMENT_ONLY = Set.of("FENCED", "MOVED");

  /** The effect of all commits so far. */
  private record State(
      long consumed,
      long committed,
      long replyStart,
      boolean isRepliesEnded,
      byte @Nullable [] context) {
    static final State FIRST = new State(0, 0, 0, false, null);

    State after(Commit commit, boolean isWithoutReplyEnds) {
      long now = committed + commit.bytes().length;
      byte[] left = commit.context() == null ? context : commit.context();
      boolean isReplyEnd = commit.consumed() >= 0 || isWithoutReplyEnds;
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

    /** The same state, with all client bytes before this offset consumed. */
    State from(long offset) {
      return new State(offset, committed, replyStart, isRepliesEnded, context);
    }

    /**
     * Whether an Open states this state.
     *
     * @param isMoreConsumed whether the Open may count more client bytes as consumed
     */
    boolean matches(Start start, boolean isMoreConsumed) {
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

  /** Null while the socket is open. */
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
    require(
        loggedReasons.size() == 1, "it must end for one reason, and ended for " + loggedReasons);
    String reason = loggedReasons.getFirst();
    require(
        closing != Closing.CLEAN || !ABORTIVE.contains(reason),
        "the socket must be reset for " + reason + ", and was closed cleanly");
    boolean isSentByUpstream = false;
    for (Attachment attachment : attachments.values()) {
      isSentByUpstream |= reason.equals(attachment.closeSent);
      String told = attachment.closeReceived;
      boolean isEnd = told != null && !ATTACHMENT_ONLY.contains(told);
      require(
          !isEnd || attachment == attachments.lastEntry().getValue(),
          "the connection continues after an upstream was told " + told);
      require(
          !isEnd || reason.equals(told), "an upstream was told " + told + " instead of " + reason);
    }
    require(isSentByUpstream || !UPSTREAM_ONLY.contains(reason), "no upstream sent " + reason);
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
        State from = stateAt(states, start, next.epoch, isMoreConsumed);
        if (last != null) {
          effective(last, states.indexOf(from)).forEach(commit -> replies.add(commit.bytes()));
        }
        State begin = from.from(start.firstOffset());
        checkStart(start, next.epoch);
        states = statesAfter(begin, next);
        last = next;
        isMoreConsumed = next.isAtMostOnce;
      } else if (next.isAtMostOnce) {
        // It may have been sent bytes, which then count as consumed.
        states = states.stream().map(state -> state.consumedTo(0)).toList();
        isMoreConsumed = true;
      }
    }
    if (last != null) {
      effective(last, states.size() - 1).forEach(commit -> replies.add(commit.bytes()));
    }
    checkReplies(replies, states, last);
  }

  /** Returns the possible states, by the number of commits of this owner that took effect. */
  private List<State> statesAfter(State begin, Attachment owner) {
    List<State> states = new ArrayList<>();
    State state = begin;
    states.add(leaving(state, owner));
    for (Commit commit : owner.commits) {
      state = state.after(commit, owner.isAtMostOnce || owner.isPinned);
      states.add(leaving(state, owner));
      if (commit.isLast()) {
        break;
      }
    }
    return states;
  }

  /** Returns the state when this owner leaves: without Settings, all it received is consumed. */
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

  /** Returns the state that this Open states. */
  private State stateAt(List<State> states, Start start, int epoch, boolean isMoreConsumed) {
    for (State state : states) {
      if (state.matches(start, isMoreConsumed)) {
        return state;
      }
    }
    throw new WrongHistoryError(
        connection,
        "epoch "
            + epoch
            + " begins with "
            + text(start)
            + ", expected one of "
            + states.stream().map(ConnectionHistory::text).toList());
  }

  private void checkStart(Start start, int epoch) {
    require(
        start.firstOffset() <= clientSent.length(),
        "epoch " + epoch + " begins past the end of the client's bytes");
    require(
        start.clientEndedAt() == -1
            || (hasClientFinished && start.clientEndedAt() == clientSent.length()),
        "epoch " + epoch + " begins with a wrong client end: " + start.clientEndedAt());
  }

  private void checkReplies(Bytes replies, List<State> states, @Nullable Attachment last) {
    int at = clientReceived.firstDifference(replies);
    require(at == -1, "the client received a byte at " + at + " that no owner committed there");
    long got = clientReceived.length();
    if (closing == Closing.CLEAN) {
      require(
          states.stream().anyMatch(state -> state.committed() == got),
          "the client received " + got + " bytes: replies are missing, or part of a commit");
    } else {
      require(got <= states.getLast().committed(), "the client received bytes of a former owner");
    }
    boolean isDone = last != null && "DONE".equals(last.closeReceived);
    if (isDone && closing == Closing.CLEAN) {
      State end = states.stream().filter(State::isRepliesEnded).findFirst().orElse(null);
      require(end != null && end.committed() == got, "done before all replies were received");
      require(last.hasClientEnded, "done before the upstream received the client's end");
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
