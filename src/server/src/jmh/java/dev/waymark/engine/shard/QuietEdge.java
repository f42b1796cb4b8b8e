package dev.waymark.engine.shard;

import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.ShardCounters;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.Balancer;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Everything that a shard needs around it, as no-ops, so that only the shard is measured. */
final class QuietEdge
    implements ShardEnvironment, ShardEvents, ShardCounters, Balancer, LaneTransport {
  private final Counters listenerCounters = new Counters();
  private final Counters upstreamCounters = new Counters();
  private final List<Lane> lanes = new ArrayList<>();
  private int batchBytes;

  List<Lane> lanes() {
    return lanes;
  }

  // --- environment

  @Override
  public void requestTurnEnd() {}

  @Override
  public void requestDeadline(long deadlineNs) {}

  /** One stateless transport serves all lanes. */
  @Override
  public LaneTransport connect(Lane lane) {
    lanes.add(lane);
    return this;
  }

  @Override
  public boolean forwardPush(
      int shard, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
    return false;
  }

  @Override
  public void askOthersToFree() {}

  @Override
  public void pauseAccepting() {
    throw new IllegalStateException("the benchmark exceeds the memory budget");
  }

  @Override
  public void resumeAccepting() {}

  // --- transport

  @Override
  public void hello(Hello hello) {
    batchBytes++;
  }

  @Override
  public void open(long connection, int epoch, Open open) {
    batchBytes++;
  }

  @Override
  public void data(
      long connection, int epoch, long offset, ByteBuf owned, boolean isLast, long limit) {
    batchBytes += owned.readableBytes();
    owned.release();
  }

  @Override
  public void limit(long connection, int epoch, long limit) {
    batchBytes++;
  }

  @Override
  public void halfClose(long connection, int epoch, long offset) {
    batchBytes++;
  }

  @Override
  public void close(long connection, int epoch, CloseReason reason) {
    throw new IllegalStateException("the benchmark lost a connection: " + reason);
  }

  @Override
  public void release(long connection, int epoch) {
    batchBytes++;
  }

  @Override
  public void ping(long id) {
    batchBytes++;
  }

  @Override
  public void pushResult(PushResult result) {}

  @Override
  public void syncing() {}

  @Override
  public void opened(long connection, String mark, String listener, String clientAddress) {}

  @Override
  public void closed(long connection, CloseReason reason) {}

  @Override
  public void synced() {}

  @Override
  public int batchBytes() {
    return batchBytes;
  }

  @Override
  public boolean flush() {
    batchBytes = 0;
    return true;
  }

  @Override
  public void cancel(String cause) {
    throw new IllegalStateException("the benchmark lost a lane: " + cause);
  }

  @Override
  public void finish() {}

  // --- balancer

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    return candidates.get((int) (mark.sequence() % candidates.size()));
  }

  @Override
  public double share(List<? extends Candidate> candidates, Candidate of) {
    return 1.0 / candidates.size();
  }

  @Override
  public boolean isByKey() {
    return false;
  }

  @Override
  public void onAttached(UpstreamView upstream) {}

  @Override
  public void onDetached(UpstreamView upstream) {}

  // --- counters and events

  @Override
  public Counters listener(String listener) {
    return listenerCounters;
  }

  @Override
  public Counters upstream(String pool, String upstream) {
    return upstreamCounters;
  }

  @Override
  public void forgetUpstream(String pool, String upstream) {}

  @Override
  public void onConnectionOpened(Mark mark, String listener, String clientAddress) {}

  @Override
  public void onConnectionAttached(Mark mark, String pool, String upstream, int epoch) {}

  @Override
  public void onForcedDetach(ForcedDetach taken) {}

  @Override
  public void onConnectionClosed(ConnectionSummary summary) {}

  @Override
  public void onLaneOpen(String pool, String upstream) {}

  @Override
  public void onLaneReplaced(String pool, String upstream) {}

  @Override
  public void onLaneBroken(String pool, String upstream, String cause, int connections) {}

  @Override
  public void onLaneEnded(String pool, String upstream) {}

  @Override
  public void onLaneRefused(String pool, String upstream, String cause) {}

  @Override
  public void onOutlierSignal(String pool, String upstream, OutlierSignal why) {}

  @Override
  public void onUpstreamDraining(String pool, String upstream) {}

  @Override
  public void onOverBudget(long usedBytes, long budgetBytes) {}

  @Override
  public void onUnderBudget(long usedBytes, long budgetBytes) {}
}
