package dev.waymark.sim.history;

import dev.waymark.sim.history.History.Closing;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One push: its sender, its target, and the result that the sender received. */
final class PushHistory {
  private record Sender(int lane, long connection) {}

  private final int lane;
  private final long connection;

  /** The result that the sender received, or null if none has arrived. */
  @Nullable String outcome;

  PushHistory(int lane, long connection) {
    this.lane = lane;
    this.connection = connection;
  }

  /**
   * Checks that each push reached its client at most once, in the order of its sender, and as its
   * result says.
   */
  static void check(Map<Long, PushHistory> pushes, Map<Long, ConnectionHistory> connections) {
    Map<Sender, Long> last = new HashMap<>();
    Map<Long, Set<Long>> received = new HashMap<>();
    connections.forEach((connection, known) -> {
      Set<Long> distinct = new HashSet<>();
      received.put(connection, distinct);
      for (long id : known.receivedPushes) {
        PushHistory push = pushes.get(id);
        known.require(
            push != null && push.connection == connection,
            "push " + id + " was for another connection");
        known.require(distinct.add(id), "push " + id + " was received twice");
        if (push != null) {
          Long before = last.put(new Sender(push.lane, connection), id);
          known.require(
              before == null || before < id, "push " + id + " was received after " + before);
          known.require(
              push.outcome == null || push.outcome.equals("WRITTEN"),
              "push " + id + " was received, but answered with " + push.outcome);
        }
      }
    });
    pushes.forEach((id, push) -> {
      ConnectionHistory known = connections.get(push.connection);
      if ("WRITTEN".equals(push.outcome)) {
        boolean isLost =
            known == null
                || (known.closing == Closing.CLEAN && !received.get(push.connection).contains(id));
        if (isLost) {
          throw new WrongHistoryError(
              push.connection, "push " + id + " was answered with WRITTEN, but not received");
        }
      }
    });
  }
}
