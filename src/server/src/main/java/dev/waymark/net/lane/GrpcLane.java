package dev.waymark.net.lane;

import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.net.tls.UpstreamTls;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.protocol.codec.BatchStream;
import dev.waymark.protocol.codec.BridgeBatchWriter;
import dev.waymark.protocol.codec.MalformedFrameException;
import dev.waymark.protocol.codec.UpstreamFrameReader;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelFuture;
import io.netty.channel.group.ChannelGroup;
import io.netty.util.concurrent.Future;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One Attach call: translates between frames and messages. Confined to its shard's thread. */
final class GrpcLane implements LaneTransport, AttachStream.Listener {
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
  private final SocketAddress address;
  private final LaneConnector.Settings settings;
  private final BridgeBatchWriter writer = new BridgeBatchWriter();
  private final BatchStream batches = new BatchStream(ByteBufAllocator.DEFAULT);
  private final UpstreamFrameReader reader = new UpstreamFrameReader();
  private final UpstreamFrame frame = new UpstreamFrame();
  private final Dial dial = new Dial();
  private final @Nullable UpstreamTls tls;
  private final AttachStream stream;
  private @Nullable Future<?> finishTimeout;
  private @Nullable Future<?> acceptTimer;
  private boolean isAnswered;
  private boolean isAccepted;
  private boolean isReading;
  private boolean isEnded;

  GrpcLane(Lane lane, SocketAddress address, LaneConnector.Settings settings) {
    this.lane = lane;
    this.address = address;
    this.settings = settings;
    this.tls = settings.tls().ofPool(lane.poolName());
    this.stream =
        AttachStream.create(
            tls == null ? "http" : "https",
            Dialler.authority(lane.upstream().address(), address),
            settings.userAgent(),
            settings.limits().laneQueueBytesMax(),
            this);
  }

  /**
   * Dials and begins the call; a failure breaks only this lane.
   *
   * @param channels gets the lane's channel
   */
  void start(Duration userTimeout, ChannelGroup channels) {
    if (isEnded) {
      return;
    }
    try {
      ChannelFuture dialling =
          settings
              .dialler()
              .dial(lane.upstream().address(), address, userTimeout, tls, dial, stream);
      // Without a descriptor there is no channel, only a failed future.
      if (dialling.channel().isRegistered()) {
        channels.add(dialling.channel());
      }
      dialling.addListener(dialled -> {
        if (!dialled.isSuccess()) {
          settings.loop().execute(() -> onDialFailed(dialled.cause()));
        }
      });
    } catch (RuntimeException bug) {
      onBug(settings.clockNs().getAsLong(), bug);
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
    if (isEnded) {
      return false;
    }
    if (!writer.batch().isEmpty()) {
      stream.send(writer.batch().takeMessage(ByteBufAllocator.DEFAULT));
    }
    return stream.isWritable();
  }

  @Override
  public void cancel(String cause) {
    if (!isEnded) {
      isEnded = true;
      release();
      stream.cancel();
    }
  }

  @Override
  public void finish() {
    if (!isEnded) {
      flush();
      stream.halfClose();
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
          settings.loop().schedule(this::countAsAccepted, ACCEPTED_AFTER_MS, TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void onAccepted() {
    isAnswered = true;
    countAsAccepted();
  }

  private void countAsAccepted() {
    if (!isAccepted && !isEnded) {
      isAccepted = true;
      lane.onAccepted();
      settings.attempts().onAccepted(lane.poolName(), lane.upstream().address());
    }
  }

  private void release() {
    writer.batch().release();
    if (!isReading) {
      batches.release();
    }
    if (finishTimeout != null) {
      finishTimeout.cancel(false);
    }
    if (acceptTimer != null) {
      acceptTimer.cancel(false);
    }
  }

  // --- frames in ---

  @Override
  public void onWritable() {
    assert settings.loop().inEventLoop() : "a lane's callback is not on its shard's thread";
    if (isEnded) {
      return;
    }
    long nowNs = settings.clockNs().getAsLong();
    try {
      awaitAcceptance();
      lane.onReady(nowNs);
    } catch (RuntimeException | Error bug) {
      onBug(nowNs, bug);
    }
  }

  @Override
  public void onData(ByteBuf data) {
    if (isEnded) {
      return;
    }
    long nowNs = settings.clockNs().getAsLong();
    isReading = true;
    try {
      batches.begin(data);
      ByteBuf fields;
      while (!isEnded && (fields = batches.next()) != null) {
        while (!isEnded && reader.read(fields, frame.clear())) {
          lane.onFrame(nowNs, frame);
        }
      }
    } catch (MalformedFrameException malformed) {
      cancel(CloseReason.PROTOCOL.name());
      lane.onBroken(nowNs, "malformed frame: " + malformed.getMessage());
    } catch (RuntimeException | Error bug) {
      onBug(nowNs, bug);
    } finally {
      isReading = false;
      if (isEnded) {
        batches.release();
      }
    }
  }

  @Override
  public void onGoAway() {
    lane.onGoAway();
  }

  /** Asks for another lane in place of this one, as the upstream does with GOAWAY. */
  void renew() {
    if (!isEnded) {
      lane.onGoAway();
    }
  }

  boolean isEnded() {
    return isEnded;
  }

  String pool() {
    return lane.poolName();
  }

  private void onDialFailed(Throwable cause) {
    onEnd(Status.UNAVAILABLE.withDescription("cannot connect: " + cause.getMessage()));
  }

  private void onBug(long nowNs, Throwable bug) {
    settings.bugs().accept(bug);
    cancel(CloseReason.INTERNAL.name());
    lane.onBroken(nowNs, "a bug in the bridge: " + bug);
  }

  @Override
  public void onEnd(Status status) {
    if (isEnded) {
      return;
    }
    isEnded = true;
    release();
    long nowNs = settings.clockNs().getAsLong();
    String cause = describe(status);
    if (status.getCode() == Status.Code.UNIMPLEMENTED && !isAnswered) {
      UpstreamProblem problem = refusal(status);
      settings.attempts().onRefused(lane.poolName(), lane.upstream().address(), problem);
      lane.onRefused(nowNs, problem.text() + " (" + cause + ")");
    } else {
      lane.onEnded(nowNs, cause);
    }
  }

  /** Tells a missing Attach method from a web server's 404, which gRPC maps to the same code. */
  private static UpstreamProblem refusal(Status status) {
    String description = String.valueOf(status.getDescription());
    return description.startsWith(GrpcHeaders.HTTP_STATUS)
        ? new UpstreamProblem(Kind.NOT_GRPC, "answers HTTP/2, but not gRPC: " + description)
        : NO_ATTACH;
  }

  private String describe(Status status) {
    if (dial.problem().isPresent()) {
      return dial.problem().get().text();
    }
    if (status.isOk()) {
      return "the upstream ended the call";
    }
    String description = status.getDescription();
    String code = status.getCode().name();
    return UpstreamProblem.shortened(description == null ? code : code + ": " + description);
  }
}
