package dev.waymark.sim.history;

import dev.waymark.sim.history.History.Closing;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One push, from the upstream that sent it to the client that it was for. */
final class PushHistory {
  private record Sender(int lane, long connection) {}

  private final int lane;
  private final long connection;

  /** What the upstream was told; null: nothing, as its lane ended before. */
  @Nullable String outcome;

  PushHistory(int lane, long connection) {
    this.lane = lane;
    this.connection = connection;
  }

  /** Each push reached its client at most once, in order, and as its sender was told. */
  static void check(Map<Long, PushHistory> pushes, Map<Long, ConnectionHistory> connections) {
    Map<Sender, Long> last = new HashMap<>();
    Map<Long, Set<Long>> received = new HashMap<>();
    connections.forEach((connection, known) -> {
      Set<Long> distinct = new HashSet<>();
      received.put(connection, distinct);
      for (long id : known.receivedPushes) {
        PushHistory push = pushes.get(id);
        known.require(
            push != null && push.connection == connection, "push " + id + " was for another");
        known.require(distinct.add(id), "push " + id + " comes twice");
        if (push != null) {
          Long before = last.put(new Sender(push.lane, connection), id);
          known.require(before == null || before < id, "push " + id + " comes after " + before);
          known.require(
              push.outcome == null || push.outcome.equals("WRITTEN"),
              "push " + id + " comes, and its sender was told " + push.outcome);
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
          throw new WrongHistoryError(push.connection, "push " + id + " is written and lost");
        }
      }
    });
  }
}
