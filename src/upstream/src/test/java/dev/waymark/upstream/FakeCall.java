package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.waymark.protocol.codec.AttachMethod;
import dev.waymark.protocol.codec.InboundBatch;
import dev.waymark.protocol.codec.OutboundBatch;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Framing;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.Release;
import dev.waymark.v1.UpstreamBatch;
import dev.waymark.v1.UpstreamFrame;
import io.grpc.Attributes;
import io.grpc.Drainable;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A fake gRPC call that records what the lane sends. Confined to one thread. */
final class FakeCall extends ServerCall<InboundBatch, OutboundBatch> {
  final List<UpstreamBatch> sent = new ArrayList<>();
  final ServerLane lane;
  boolean isReady = true;
  int requested;
  @Nullable Status status;

  FakeCall(UpstreamOptions options, ConnectionHandler.Factory factory, Attachments registry) {
    this(options, factory, registry, new BridgeLinks(null));
  }

  FakeCall(
      UpstreamOptions options,
      ConnectionHandler.Factory factory,
      Attachments registry,
      BridgeLinks links) {
    lane = new ServerLane(this, options, factory, registry, links);
    lane.start();
  }

  /** Creates a lane with a handler on connection 1, opened with this framing and limit. */
  static FakeCall opened(
      UpstreamOptions options, ConnectionHandler.Factory factory, Framing framing, long limit) {
    FakeCall call = new FakeCall(options, factory, new Attachments(10)).greet();
    call.receive(openFrame(1, 0, framing, limit));
    call.sent.clear();
    return call;
  }

  FakeCall greet() {
    receive(BridgeFrame.newBuilder().setHello(Hello.newBuilder().setRevision(1)));
    return this;
  }

  void receive(BridgeFrame.Builder... frames) {
    BridgeBatch.Builder batch = BridgeBatch.newBuilder();
    for (BridgeFrame.Builder frame : frames) {
      batch.addFrames(frame);
    }
    lane.onBatch(
        AttachMethod.upstreamSide()
            .parseRequest(new ByteArrayInputStream(batch.build().toByteArray())));
  }

  static BridgeFrame.Builder openFrame(long connection, int epoch, Framing framing, long limit) {
    Open open =
        Open.newBuilder().setMark("mark-" + connection).setFraming(framing).setLimit(limit).build();
    return BridgeFrame.newBuilder().setConnection(connection).setEpoch(epoch).setOpen(open);
  }

  static BridgeFrame.Builder dataFrame(int epoch, long offset, String payload, boolean last) {
    return BridgeFrame.newBuilder()
        .setConnection(1)
        .setEpoch(epoch)
        .setOffset(offset)
        .setPayload(ByteString.copyFromUtf8(payload))
        .setLast(last);
  }

  static BridgeFrame.Builder limitFrame(long limit) {
    return BridgeFrame.newBuilder().setConnection(1).setLimit(limit);
  }

  static BridgeFrame.Builder releaseFrame(int epoch) {
    return BridgeFrame.newBuilder()
        .setConnection(1)
        .setEpoch(epoch)
        .setRelease(Release.getDefaultInstance());
  }

  List<UpstreamFrame> frames() {
    return sent.stream().flatMap(batch -> batch.getFramesList().stream()).toList();
  }

  String replies() {
    StringBuilder text = new StringBuilder();
    frames().forEach(frame -> text.append(frame.getPayload().toStringUtf8()));
    return text.toString();
  }

  @Override
  public void sendMessage(OutboundBatch batch) {
    try (var message = AttachMethod.upstreamSide().streamResponse(batch)) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      ((Drainable) message).drainTo(bytes);
      sent.add(UpstreamBatch.parseFrom(bytes.toByteArray()));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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
    status = end;
  }

  @Override
  public boolean isCancelled() {
    return false;
  }

  @Override
  public Attributes getAttributes() {
    return Attributes.EMPTY;
  }

  @Override
  public MethodDescriptor<InboundBatch, OutboundBatch> getMethodDescriptor() {
    return AttachMethod.upstreamSide();
  }
}
