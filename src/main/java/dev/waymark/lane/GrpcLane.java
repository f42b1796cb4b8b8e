package dev.waymark.lane;

import dev.waymark.core.CloseReason;
import dev.waymark.core.Hello;
import dev.waymark.core.Lane;
import dev.waymark.core.LaneTransport;
import dev.waymark.core.Open;
import dev.waymark.core.PushResult;
import dev.waymark.core.UpstreamFrame;
import dev.waymark.wire.AttachMethod;
import dev.waymark.wire.BridgeBatchWriter;
import dev.waymark.wire.InboundBatch;
import dev.waymark.wire.MalformedFrameException;
import dev.waymark.wire.OutboundBatch;
import dev.waymark.wire.UpstreamFrameReader;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One Attach call: frames out as batches, batches in as frames. Confined to its shard's thread. */
final class GrpcLane implements LaneTransport {
  /** How long an upstream may take to end its side of a call that the bridge has finished. */
  private static final long FINISH_TIMEOUT_S = 10;

  private final Lane lane;
  private final ManagedChannel channel;
  private final LaneConnector.Settings settings;
  private final Consumer<ManagedChannel> onReleased;
  private final ClientCall<OutboundBatch, InboundBatch> call;
  private final BridgeBatchWriter writer = new BridgeBatchWriter();
  private final UpstreamFrameReader reader = new UpstreamFrameReader();
  private final UpstreamFrame frame = new UpstreamFrame();
  private @Nullable Future<?> finishTimeout;
  private boolean isEnded;

  /**
   * @param onReleased told when the channel was shut down
   */
  GrpcLane(
      Lane lane,
      ManagedChannel channel,
      LaneConnector.Settings settings,
      Consumer<ManagedChannel> onReleased) {
    this.onReleased = onReleased;
    this.lane = lane;
    this.channel = channel;
    this.settings = settings;
    CallOptions options =
        CallOptions.DEFAULT.withOnReadyThreshold(settings.limits().laneQueueBytesMax());
    this.call = channel.newCall(AttachMethod.bridgeSide(), options);
  }

  void start() {
    if (!isEnded) {
      call.start(new Listener(), new Metadata());
      call.request(1);
    }
  }

  // --- frames out ---

  @Override
  public void hello(Hello hello) {
    writer.hello(hello);
  }

  @Override
  public void open(long connection, int epoch, Open open) {
    writer.open(connection, epoch, open);
  }

  @Override
  public void data(
      long connection, int epoch, long offset, ByteBuf owned, boolean last, long limit) {
    if (isEnded) {
      owned.release();
    } else {
      writer.data(connection, epoch, offset, owned, last, limit);
    }
  }

  @Override
  public void limit(long connection, int epoch, long limit) {
    writer.limit(connection, epoch, limit);
  }

  @Override
  public void halfClose(long connection, int epoch, long offset) {
    writer.halfClose(connection, epoch, offset);
  }

  @Override
  public void close(long connection, int epoch, CloseReason reason) {
    writer.close(connection, epoch, reason);
  }

  @Override
  public void release(long connection, int epoch) {
    writer.release(connection, epoch);
  }

  @Override
  public void ping(long id) {
    writer.ping(id);
  }

  @Override
  public void pushResult(PushResult result) {
    writer.pushResult(result);
  }

  @Override
  public void syncing() {
    writer.syncing();
  }

  @Override
  public void opened(long connection, String mark, String listener, String clientAddress) {
    writer.opened(connection, mark, listener, clientAddress);
  }

  @Override
  public void closed(long connection, CloseReason reason) {
    writer.closed(connection, reason);
  }

  @Override
  public void synced() {
    writer.synced();
  }

  @Override
  public int batchBytes() {
    return writer.batch().bytes();
  }

  @Override
  public boolean flush() {
    if (isEnded) {
      return false;
    }
    if (!writer.batch().isEmpty()) {
      call.sendMessage(writer.batch());
    }
    return call.isReady();
  }

  @Override
  public void cancel(String cause) {
    if (!isEnded) {
      isEnded = true;
      call.cancel(cause, null);
      release();
    }
  }

  @Override
  public void finish() {
    if (!isEnded) {
      flush();
      call.halfClose();
      finishTimeout =
          settings
              .loop()
              .schedule(
                  () -> cancel("the call was not ended in time"),
                  FINISH_TIMEOUT_S,
                  TimeUnit.SECONDS);
    }
  }

  private void release() {
    writer.batch().release();
    channel.shutdownNow();
    onReleased.accept(channel);
    if (finishTimeout != null) {
      finishTimeout.cancel(false);
    }
  }

  // --- frames in ---

  private void onBatch(InboundBatch batch) {
    long nowNs = settings.clockNs().getAsLong();
    try {
      while (!isEnded && reader.read(batch.content(), frame.clear())) {
        lane.onFrame(nowNs, frame);
      }
    } catch (MalformedFrameException malformed) {
      cancel(CloseReason.PROTOCOL.name());
      lane.onBroken(nowNs, "a frame that cannot be read: " + malformed.getMessage());
    } catch (RuntimeException bug) {
      settings.bugs().accept(bug);
      cancel(CloseReason.INTERNAL.name());
      lane.onBroken(nowNs, "a defect of the bridge: " + bug);
    } finally {
      batch.release();
    }
  }

  private final class Listener extends ClientCall.Listener<InboundBatch> {
    @Override
    public void onReady() {
      assert settings.loop().inEventLoop() : "a lane off its shard";
      if (!isEnded) {
        lane.onReady(settings.clockNs().getAsLong());
      }
    }

    @Override
    public void onMessage(InboundBatch batch) {
      onBatch(batch);
      if (!isEnded) {
        call.request(1);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      boolean wasEnded = isEnded;
      isEnded = true;
      release();
      if (!wasEnded) {
        lane.onBroken(settings.clockNs().getAsLong(), describe(status));
      }
    }

    private static String describe(Status status) {
      Throwable cause = status.getCause();
      String description = status.getDescription();
      StringBuilder text = new StringBuilder(status.getCode().name());
      if (description != null) {
        text.append(": ").append(description);
      }
      if (cause != null && cause.getMessage() != null && !cause.getMessage().equals(description)) {
        text.append(" (").append(cause.getMessage()).append(')');
      }
      return text.toString();
    }
  }
}
