package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Order (rule 1): bytes arrive complete and in order, FIN and HalfClose do not overtake them, and
 * {@code last} marks exactly the ends of messages.
 */
public final class Rule1Order implements Watcher {
  private static final String RULE = "rule 1 (order)";

  private static final class State {
    long clientBytes;
    boolean isClientEnded;
    boolean isClientBroken;
    final Set<Long> messageEnds = new HashSet<>();
    long laneBytes;
    long everSent;
    boolean isHalfClosed;
    long effectiveBytes;
    boolean isUpstreamEnded;
    long writtenBytes;
    boolean isFinished;
    boolean isOver;
  }

  private final Map<Long, State> states = new HashMap<>();
  private long progressBytes;

  @Override
  public void onAccepted(long connection) {
    states.put(connection, new State());
  }

  @Override
  public void onClientBytes(long connection, int bytes, boolean isLast) {
    State state = states.get(connection);
    state.clientBytes += bytes;
    if (isLast) {
      state.messageEnds.add(state.clientBytes);
    }
  }

  @Override
  public void onClientEnd(long connection) {
    states.get(connection).isClientEnded = true;
  }

  @Override
  public void onClientViolation(long connection) {
    states.get(connection).isClientBroken = true;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    State state = states.get(connection);
    state.isHalfClosed = false;
    if (left != null) {
      state.laneBytes = left.firstOffset();
    }
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    State state = states.get(connection);
    require(!state.isHalfClosed, RULE, "HalfClose overtook bytes", connection, offset);
    require(
        offset == state.laneBytes,
        RULE,
        "a gap or an overlap in the client's stream",
        connection,
        offset,
        state.laneBytes);
    checkBytes(connection, offset, bytes);
    for (int i = 1; i < bytes.length; i++) {
      require(
          !state.messageEnds.contains(offset + i),
          RULE,
          "a payload spans the end of a message",
          connection,
          offset + i);
    }
    state.laneBytes += bytes.length;
    state.everSent = Math.max(state.everSent, state.laneBytes);
    progressBytes += bytes.length;
    require(
        state.laneBytes <= state.clientBytes,
        RULE,
        "bytes that the client never sent",
        connection,
        state.laneBytes);
    require(
        isLast == state.messageEnds.contains(state.laneBytes),
        RULE,
        "last at the wrong offset",
        connection,
        state.laneBytes);
  }

  @Override
  public void onHalfClose(int lane, long connection, int epoch, long offset) {
    State state = states.get(connection);
    require(
        state.isClientEnded && !state.isClientBroken && !state.isHalfClosed,
        RULE,
        "HalfClose without FIN, or twice",
        connection);
    require(
        offset == state.clientBytes && offset == state.laneBytes,
        RULE,
        "HalfClose overtook bytes",
        connection,
        offset,
        state.laneBytes);
    state.isHalfClosed = true;
  }

  @Override
  public void onCommit(Commit commit) {
    State state = states.get(commit.connection());
    state.effectiveBytes += commit.bytes();
    state.isUpstreamEnded |= commit.isEnd();
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    states.get(connection).isOver |= how == Leaving.ENDED;
  }

  @Override
  public void onSocketWrite(long connection, byte[] bytes) {
    State state = states.get(connection);
    require(!state.isFinished, RULE, "bytes after FIN", connection);
    checkBytes(connection, state.writtenBytes, bytes);
    state.writtenBytes += bytes.length;
    require(
        state.writtenBytes <= state.effectiveBytes,
        RULE,
        "bytes of a commit that did not take effect",
        connection,
        state.writtenBytes);
  }

  @Override
  public void onSocketFinish(long connection) {
    State state = states.get(connection);
    state.isFinished = true;
    require(
        !state.isUpstreamEnded || state.isOver || state.writtenBytes == state.effectiveBytes,
        RULE,
        "FIN overtook replies",
        connection);
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    State state = states.get(connection);
    if (state != null) {
      require(
          !reason.equals("DONE")
              || (state.isHalfClosed && state.writtenBytes == state.effectiveBytes),
          RULE,
          "Close(DONE) before all was sent and written",
          connection,
          state.writtenBytes,
          state.effectiveBytes);
    }
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }

  /** The number of client bytes sent to upstreams so far. */
  public long progressBytes() {
    return progressBytes;
  }

  /** The offset up to which client bytes were ever sent to an upstream. */
  public long everSent(long connection) {
    return states.get(connection).everSent;
  }

  /** Checks, after all faults, that everything that the client sent has been echoed. */
  public void checkEchoed(long connection, long clientBytes, long takenBytes) {
    State state = states.get(connection);
    require(
        state.laneBytes == clientBytes,
        RULE,
        "client bytes are missing at the upstream",
        connection,
        state.laneBytes,
        clientBytes);
    require(
        takenBytes == clientBytes,
        RULE,
        "reply bytes are missing at the client",
        connection,
        takenBytes,
        clientBytes);
  }

  private static void checkBytes(long connection, long offset, byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      require(
          bytes[i] == Watcher.byteAt(connection, offset + i),
          RULE,
          "a wrong byte",
          connection,
          offset + i);
    }
  }
}
