package dev.waymark.sim;

import dev.waymark.protocol.codec.AttachMethod;
import dev.waymark.protocol.codec.BridgeBatchWriter;
import dev.waymark.protocol.codec.InboundBatch;
import dev.waymark.protocol.codec.OutboundBatch;
import io.grpc.Attributes;
import io.grpc.Drainable;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
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
 * A lane whose upstream is built on the SDK: the call without gRPC. What either side sends is
 * encoded, travels as bytes, and is decoded on the other side.
 */
final class SdkLane extends ServerCall<InboundBatch, OutboundBatch> implements LaneEnd {
  private final Sim sim;
  private final Dice dice;
  private final SimLane lane;
  private final SdkProcess process;
  private final BridgeBatchWriter writer = new BridgeBatchWriter();

  /** The world's numbers of pushes, by those of the lane. */
  private final Map<Long, Long> pushes = new HashMap<>();

  private @Nullable Listener<InboundBatch> listener;
  private int requested;
  private boolean isReady = true;
  private boolean isClosed;

  /** A batch is being dealt with: it may end the process. */
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

  /** What was written since the last message, as bytes; null: nothing. */
  byte @Nullable [] takeBatch() {
    OutboundBatch batch = writer.batch();
    if (batch.isEmpty()) {
      return null;
    }
    return bytes(AttachMethod.bridgeSide().streamRequest(batch));
  }

  /** The bridge has left: what waits goes nowhere. */
  void dropBatch() {
    writer.batch().release();
  }

  /** The world's number of a push that came on this lane. */
  long push(long id) {
    return pushes.getOrDefault(id, id);
  }

  void knowPush(long id, long number) {
    pushes.put(id, number);
  }

  // --- the upstream's side ---

  /** The call has come. */
  void start() {
    listener = process.start(this);
  }

  /** Whether the SDK takes one more batch. */
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
      over();
    }
  }

  boolean isBusy() {
    return isBusy;
  }

  /** The call is over, or its process is. */
  void over() {
    if (!isClosed) {
      isClosed = true;
      if (listener != null) {
        listener.onCancel();
      }
    }
    process.end(this);
  }

  /** The run is over, and may have been broken off. */
  void dispose() {
    process.die();
    over();
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

  // --- ServerCall, as the SDK uses it ---

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
      throw new AssertionError("the SDK ends a lane: " + end);
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
