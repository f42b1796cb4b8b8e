package dev.waymark.sim;

import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.ResumeState;
import io.netty.buffer.ByteBuf;

/** A lane between the engine and a {@link SimLane} that injects the defects of a wrong engine. */
final class MutatedLane implements LaneTransport {
  private final Sim sim;
  private final Mutations mutations;
  private final SimLane lane;
  private Runnable postponed;

  MutatedLane(Sim sim, SimLane lane) {
    this.sim = sim;
    this.mutations = sim.mutations();
    this.lane = lane;
  }

  @Override
  public void hello(Hello hello) {
    lane.hello(hello);
  }

  @Override
  public void open(long connection, int epoch, Open open) {
    ResumeState left = open.resumeState();
    int sent = epoch > 0 && mutations.strikes(Mutation.EPOCH_NOT_RAISED) ? epoch - 1 : epoch;
    Open other =
        left == null
            ? open
            : new Open(
                open.mark(),
                open.listener(),
                open.clientAddress(),
                open.localAddress(),
                open.acceptedUnixMs(),
                open.framing(),
                open.frameBytesMax(),
                open.limit(),
                open.proxy(),
                open.tls(),
                mutated(connection, left));
    lane.open(connection, sent, other);
  }

  private ResumeState mutated(long connection, ResumeState left) {
    long first = left.firstOffset();
    long everSent = sim.everSent(connection);
    if (everSent > first && mutations.strikes(Mutation.REPLAY_FROM_SENT)) {
      first = everSent;
    } else if (first > 0 && mutations.strikes(Mutation.REPLAY_TOO_MUCH)) {
      first--;
    }
    boolean isForgotten = left.committed() > 0 && mutations.strikes(Mutation.FORGET_COMMITTED);
    boolean isLost = left.context() != null && mutations.strikes(Mutation.LOSE_CONTEXT);
    ResumeState.Cause[] causes = ResumeState.Cause.values();
    ResumeState.Cause next = causes[(left.cause().ordinal() + 1) % causes.length];
    return new ResumeState(
        mutations.strikes(Mutation.FALSE_CAUSE) ? next : left.cause(),
        first,
        isForgotten ? 0 : left.committed(),
        left.committedSinceConsumed(),
        left.clientEndedAt(),
        left.isRepliesEnded(),
        left.replyWindowBytes(),
        isLost ? null : left.context());
  }

  @Override
  public void data(
      long connection, int epoch, long offset, ByteBuf owned, boolean isLast, long limit) {
    if (mutations.strikes(Mutation.DROP_DATA)) {
      owned.release();
      return;
    }
    boolean sentLast = isLast && !mutations.strikes(Mutation.LOSE_LAST);
    Runnable frame = () -> lane.data(connection, epoch, offset, owned, sentLast, limit);
    if (mutations.strikes(Mutation.REORDER_DATA)) {
      postponed = frame;
      return;
    }
    frame.run();
    if (postponed != null) {
      postponed.run();
      postponed = null;
    }
    if (mutations.strikes(Mutation.LIMIT_GOES_DOWN)) {
      lane.limit(connection, epoch, 0);
    }
    if (mutations.strikes(Mutation.FENCE_BUSY_OWNER)) {
      lane.close(connection, epoch, CloseReason.FENCED);
    }
  }

  @Override
  public void limit(long connection, int epoch, long limit) {
    if (!mutations.is(Mutation.FORGET_LIMITS)) {
      lane.limit(connection, epoch, limit);
    }
  }

  @Override
  public void halfClose(long connection, int epoch, long offset) {
    lane.halfClose(connection, epoch, offset);
  }

  @Override
  public void close(long connection, int epoch, CloseReason reason) {
    if (reason == CloseReason.FENCED && mutations.strikes(Mutation.FENCED_NOT_SENT)) {
      return;
    }
    lane.close(connection, epoch, reason);
    if (mutations.strikes(Mutation.CLOSE_TWICE)) {
      lane.close(connection, epoch, reason);
    }
    if (mutations.strikes(Mutation.LIMIT_AFTER_CLOSE)) {
      lane.limit(connection, epoch, Long.MAX_VALUE);
    }
  }

  @Override
  public void release(long connection, int epoch) {
    lane.release(connection, epoch);
    if (mutations.strikes(Mutation.RELEASE_TWICE)) {
      lane.release(connection, epoch);
    }
    if (mutations.strikes(Mutation.DATA_AFTER_RELEASE)) {
      lane.data(
          connection, epoch, sim.everSent(connection), sim.buffer(1), false, BridgeFrame.ABSENT);
    }
  }

  @Override
  public void ping(long id) {
    lane.ping(id);
  }

  @Override
  public void pushResult(PushResult result) {
    if (mutations.strikes(Mutation.PUSH_NOT_ANSWERED)) {
      return;
    }
    boolean isFalse = mutations.strikes(Mutation.PUSH_ANSWERED_FALSELY);
    PushResult.Outcome[] outcomes = PushResult.Outcome.values();
    PushResult.Outcome next = outcomes[(result.outcome().ordinal() + 1) % outcomes.length];
    lane.pushResult(isFalse ? new PushResult(result.id(), next, null, 0, 0) : result);
  }

  @Override
  public void syncing() {
    lane.syncing();
  }

  @Override
  public void opened(long connection, String mark, String listener, String clientAddress) {
    lane.opened(connection, mark, listener, clientAddress);
  }

  @Override
  public void closed(long connection, CloseReason reason) {
    lane.closed(connection, reason);
  }

  @Override
  public void synced() {
    lane.synced();
  }

  @Override
  public int batchBytes() {
    return lane.batchBytes();
  }

  @Override
  public boolean flush() {
    return lane.flush();
  }

  @Override
  public void cancel(String cause) {
    lane.cancel(cause);
  }

  @Override
  public void finish() {
    lane.finish();
  }
}
