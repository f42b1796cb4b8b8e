package dev.waymark.net.lane;

import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.protocol.codec.AttachMethod;
import dev.waymark.protocol.codec.BridgeBatchWriter;
import dev.waymark.protocol.codec.InboundBatch;
import dev.waymark.protocol.codec.MalformedFrameException;
import dev.waymark.protocol.codec.OutboundBatch;
import dev.waymark.protocol.codec.UpstreamFrameReader;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.Future;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One Attach call: translates between frames and batches. Confined to its shard's thread. */
final class GrpcLane implements LaneTransport {
  /** How long an upstream may take to end a call that the bridge has half-closed. */
  private static final long FINISH_TIMEOUT_S = 10;

  /**
   * A call without an answer for this long counts as accepted: an upstream without the method says
   * so within a round trip, but one that does not acknowledge may be silent for hours.
   */
  private static final long ACCEPTED_AFTER_MS = 200;

  private static final UpstreamProblem NO_ATTACH =
      new UpstreamProblem(Kind.NO_ATTACH, "speaks gRPC, but has no Attach method");

  private final Lane lane;
  private final LaneConnector connector;
  private final LaneConnector.Settings settings;
  private final BridgeBatchWriter writer = new BridgeBatchWriter();
  private final UpstreamFrameReader reader = new UpstreamFrameReader();
  private final UpstreamFrame frame = new UpstreamFrame();
  private final Dial dial = new Dial();
  private @Nullable ManagedChannel channel;
  private @Nullable ClientCall<OutboundBatch, InboundBatch> call;
  private @Nullable Future<?> finishTimeout;
  private @Nullable Future<?> acceptTimer;
  private boolean isAccepted;
  private boolean isEnded;

  GrpcLane(Lane lane, LaneConnector connector, LaneConnector.Settings settings) {
    this.lane = lane;
    this.connector = connector;
    this.settings = settings;
  }

  /** Dials and starts the call; a failure breaks only this lane. */
  void start(SocketAddress address, Duration userTimeout) {
    if (isEnded) {
      return;
    }
    try {
      ManagedChannel opened =
          connector.channel(lane.upstream().address(), address, userTimeout, dial);
      channel = opened;
      connector.opened(opened);
      CallOptions options =
          CallOptions.DEFAULT.withOnReadyThreshold(settings.limits().laneQueueBytesMax());
      ClientCall<OutboundBatch, InboundBatch> started =
          opened.newCall(AttachMethod.bridgeSide(), options);
      call = started;
      started.start(new Listener(), new Metadata());
      started.request(1);
    } catch (RuntimeException bug) {
      cancel(CloseReason.INTERNAL.name());
      settings.bugs().accept(bug);
      lane.onBroken(settings.clockNs().getAsLong(), "a bug in the bridge: " + bug);
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
      long connection, int epoch, long offset, ByteBuf owned, boolean isLast, long limit) {
    if (isEnded) {
      owned.release();
    } else {
      writer.data(connection, epoch, offset, owned, isLast, limit);
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
    ClientCall<OutboundBatch, InboundBatch> open = call;
    if (isEnded || open == null) {
      return false;
    }
    if (!writer.batch().isEmpty()) {
      open.sendMessage(writer.batch());
    }
    return open.isReady();
  }

  @Override
  public void cancel(String cause) {
    if (!isEnded) {
      isEnded = true;
      release();
      ClientCall<OutboundBatch, InboundBatch> open = call;
      if (open != null && channel != null) {
        connector.end(open, cause, channel, acceptTimer != null);
      }
    }
  }

  @Override
  public void finish() {
    ClientCall<OutboundBatch, InboundBatch> open = call;
    if (!isEnded && open != null) {
      flush();
      open.halfClose();
      finishTimeout =
          settings
              .loop()
              .schedule(
                  () -> cancel("the upstream did not end the call in time"),
                  FINISH_TIMEOUT_S,
                  TimeUnit.SECONDS);
    }
  }

  private void awaitAcceptance() {
    if (acceptTimer == null) {
      acceptTimer =
          settings.loop().schedule(this::onAccepted, ACCEPTED_AFTER_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void onAccepted() {
    if (!isAccepted && !isEnded) {
      isAccepted = true;
      settings.attempts().onAccepted(lane.poolName(), lane.upstream().address());
    }
  }

  private void release() {
    writer.batch().release();
    if (finishTimeout != null) {
      finishTimeout.cancel(false);
    }
    if (acceptTimer != null) {
      acceptTimer.cancel(false);
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
      lane.onBroken(nowNs, "malformed frame: " + malformed.getMessage());
    } catch (RuntimeException | Error bug) {
      settings.bugs().accept(bug);
      cancel(CloseReason.INTERNAL.name());
      lane.onBroken(nowNs, "a bug in the bridge: " + bug);
    } finally {
      batch.release();
    }
  }

  private final class Listener extends ClientCall.Listener<InboundBatch> {
    @Override
    public void onReady() {
      assert settings.loop().inEventLoop() : "a lane's callback is not on its shard's thread";
      if (!isEnded) {
        awaitAcceptance();
        lane.onReady(settings.clockNs().getAsLong());
      }
    }

    @Override
    public void onHeaders(Metadata headers) {
      onAccepted();
    }

    @Override
    public void onMessage(InboundBatch batch) {
      onAccepted();
      onBatch(batch);
      ClientCall<OutboundBatch, InboundBatch> open = call;
      if (!isEnded && open != null) {
        open.request(1);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!isEnded) {
        isEnded = true;
        release();
        if (channel != null) {
          connector.close(channel);
        }
        String cause = describe(status);
        if (status.getCode() == Status.Code.UNIMPLEMENTED && !isAccepted) {
          UpstreamProblem problem = refusal(status);
          settings.attempts().onRefused(lane.poolName(), lane.upstream().address(), problem);
          cause = problem.text() + " (" + cause + ")";
        }
        lane.onBroken(settings.clockNs().getAsLong(), cause);
      }
    }

    /** Tells a missing Attach method from a web server's 404, which gRPC maps to the same code. */
    private static UpstreamProblem refusal(Status status) {
      String description = String.valueOf(status.getDescription());
      int lineEnd = description.indexOf('\n');
      return description.startsWith("HTTP status code")
          ? new UpstreamProblem(
              Kind.NOT_GRPC,
              "answers HTTP/2, but not gRPC: "
                  + (lineEnd < 0 ? description : description.substring(0, lineEnd)))
          : NO_ATTACH;
    }

    private String describe(Status status) {
      if (dial.problem().isPresent()) {
        return dial.problem().get().text();
      }
      Throwable cause = status.getCause();
      String description = status.getDescription();
      StringBuilder text = new StringBuilder(status.getCode().name());
      if (description != null) {
        text.append(": ").append(description);
      }
      if (cause != null && cause.getMessage() != null && !cause.getMessage().equals(description)) {
        text.append(" (").append(cause.getMessage()).append(')');
      }
      return UpstreamProblem.shortened(text.toString());
    }
  }
}
