package dev.waymark.sim;

import dev.waymark.protocol.codec.AttachMethod;
import dev.waymark.protocol.codec.BatchStream;
import dev.waymark.protocol.codec.BridgeBatchWriter;
import dev.waymark.protocol.codec.InboundBatch;
import dev.waymark.protocol.codec.OutboundBatch;
import io.grpc.Attributes;
import io.grpc.Drainable;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The end of a lane at an upstream on the SDK: an Attach call without gRPC. Both directions pass
 * through the real codec: each side encodes its batches to bytes, and the other side decodes them.
 */
final class SdkLane extends ServerCall<InboundBatch, OutboundBatch> implements LaneEnd {
  private final Sim sim;
  private final Dice dice;
  private final SimLane lane;
  private final SdkProcess process;
  private final BridgeBatchWriter writer = new BridgeBatchWriter();

  /** The simulation's number of each push, by the SDK's number, which is unique per lane only. */
  private final Map<Long, Long> pushes = new HashMap<>();

  private @Nullable Listener<InboundBatch> listener;
  private int requested;
  private boolean isReady = true;
  private boolean isClosed;

  /** Whether the SDK is processing a batch, which may kill the process. */
  private boolean isBusy;

  SdkLane(Sim sim, SimLane lane, SdkProcess process) {
    this.sim = sim;
    this.dice = sim.dice();
    this.lane = lane;
    this.process = process;
  }

  // --- the bridge's side ---

  BridgeBatchWriter writer() {
    return writer;
  }

  /** Returns the frames written since the last call, encoded, or null if there are none. */
  byte @Nullable [] takeBatch() {
    OutboundBatch batch = writer.batch();
    if (batch.isEmpty()) {
      return null;
    }
    ByteBuf message = batch.takeMessage(UnpooledByteBufAllocator.DEFAULT);
    try {
      return ByteBufUtil.getBytes(message.skipBytes(BatchStream.PREFIX_BYTES));
    } finally {
      message.release();
    }
  }

  /** Drops the frames not sent yet: the bridge has ended the call. */
  void dropBatch() {
    writer.batch().release();
  }

  /** Returns the simulation's number of a push that came on this lane. */
  long pushNumber(long id) {
    return pushes.getOrDefault(id, id);
  }

  void addPush(long id, long number) {
    pushes.put(id, number);
  }

  // --- the upstream's side ---

  /** Passes the call to the SDK. */
  void start() {
    listener = process.start(this);
  }

  /** Whether the SDK has requested another batch. */
  boolean isReading() {
    return requested > 0 && !isClosed;
  }

  void onBatch(byte[] batch) {
    if (isClosed || process.isDead() || listener == null) {
      return;
    }
    requested--;
    process.enter(this);
    isBusy = true;
    listener.onMessage(AttachMethod.upstreamSide().parseRequest(new ByteArrayInputStream(batch)));
    isBusy = false;
    if (process.isDead()) {
      cancel();
    }
  }

  boolean isBusy() {
    return isBusy;
  }

  /** Cancels the call: the bridge has ended it, or the process is dead. */
  void cancel() {
    if (!isClosed) {
      isClosed = true;
      if (listener != null) {
        listener.onCancel();
      }
    }
    process.end(this);
  }

  /** Releases everything at the end of a run, which may have failed. */
  void dispose() {
    process.die();
    cancel();
    dropBatch();
  }

  // --- LaneEnd ---

  @Override
  public void act() {
    if (isClosed || process.isDead()) {
      return;
    }
    if (!isReady && dice.oneIn(4)) {
      ready();
    } else if (isReady && sim.strikes(Fault.LANE_STALL)) {
      isReady = false;
      sim.mark("sdk lane stalled");
    }
    process.drainIfAsked();
    if (sim.strikes(Fault.PUSH)) {
      process.push();
    }
    List<SdkEcho> echoes = process.echoes(this);
    if (!echoes.isEmpty()) {
      echoes.get(dice.upTo(echoes.size())).act();
    }
  }

  @Override
  public void heal() {
    if (isClosed || process.isDead()) {
      return;
    }
    ready();
    List.copyOf(process.echoes(this)).forEach(SdkEcho::heal);
  }

  @Override
  public boolean isEchoing(long connection) {
    return !isClosed
        && process.echoes(this).stream()
            .anyMatch(echo -> echo.number() == connection && echo.isEchoing());
  }

  private void ready() {
    if (!isReady) {
      isReady = true;
      if (listener != null) {
        listener.onReady();
      }
    }
  }

  // --- ServerCall ---

  @Override
  public void sendMessage(OutboundBatch batch) {
    byte[] bytes = bytes(AttachMethod.upstreamSide().streamResponse(batch));
    if (!process.isDead()) {
      lane.send(bytes);
    }
  }

  @Override
  public void request(int messages) {
    requested += messages;
  }

  @Override
  public void sendHeaders(Metadata headers) {}

  @Override
  public boolean isReady() {
    return isReady;
  }

  @Override
  public void close(Status end, Metadata trailers) {
    isClosed = true;
    process.end(this);
    if (!end.isOk()) {
      throw new AssertionError("the SDK closed a lane: " + end);
    }
  }

  @Override
  public boolean isCancelled() {
    return isClosed;
  }

  @Override
  public Attributes getAttributes() {
    return Attributes.EMPTY;
  }

  @Override
  public MethodDescriptor<InboundBatch, OutboundBatch> getMethodDescriptor() {
    return AttachMethod.upstreamSide();
  }

  private static byte[] bytes(InputStream encoded) {
    try (InputStream message = encoded) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      ((Drainable) message).drainTo(bytes);
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(isReady ? "SDK" : "SDK, stalled");
    process.echoes(this).forEach(echo -> text.append("\n    ").append(echo));
    return text.toString();
  }
}
