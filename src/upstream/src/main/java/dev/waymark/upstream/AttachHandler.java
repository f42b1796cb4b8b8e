package dev.waymark.upstream;

import dev.waymark.protocol.codec.InboundBatch;
import dev.waymark.protocol.codec.OutboundBatch;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/** Turns Attach calls into lanes and tracks the open ones. Thread-safe. */
final class AttachHandler implements ServerCallHandler<InboundBatch, OutboundBatch> {
  private final Function<ServerCall<InboundBatch, OutboundBatch>, ServerLane> newLane;
  private final Consumer<ServerLane> onStarted;
  private final Set<ServerLane> lanes = ConcurrentHashMap.newKeySet();

  /**
   * @param onStarted called with every new lane, after {@link #forEachLane} includes it
   */
  AttachHandler(
      Function<ServerCall<InboundBatch, OutboundBatch>, ServerLane> newLane,
      Consumer<ServerLane> onStarted) {
    this.newLane = newLane;
    this.onStarted = onStarted;
  }

  void forEachLane(Consumer<ServerLane> action) {
    lanes.forEach(action);
  }

  @Override
  public ServerCall.Listener<InboundBatch> startCall(
      ServerCall<InboundBatch, OutboundBatch> call, Metadata headers) {
    ServerLane lane = newLane.apply(call);
    lane.start();
    lanes.add(lane);
    onStarted.accept(lane);
    return new ServerCall.Listener<>() {
      @Override
      public void onMessage(InboundBatch batch) {
        lane.onBatch(batch);
      }

      @Override
      public void onReady() {
        lane.onReady();
      }

      @Override
      public void onHalfClose() {
        lane.onHalfClose();
      }

      @Override
      public void onCancel() {
        lanes.remove(lane);
        lane.onCancel();
      }

      @Override
      public void onComplete() {
        lanes.remove(lane);
      }
    };
  }
}
