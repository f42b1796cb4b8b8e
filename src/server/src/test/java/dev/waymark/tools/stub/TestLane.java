package dev.waymark.tools.stub;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Framing;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.UpstreamBatch;
import dev.waymark.v1.UpstreamFrame;
import dev.waymark.v1.UpstreamGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.hamcrest.Matchers;

/** The bridge's end of a lane, on the generated classes. Thread-safe. */
final class TestLane implements StreamObserver<UpstreamBatch> {
  private final List<UpstreamBatch> received = new CopyOnWriteArrayList<>();
  private final AtomicReference<Status> status = new AtomicReference<>();
  private final StreamObserver<BridgeBatch> requests;

  TestLane(ManagedChannel channel) {
    requests = UpstreamGrpc.newStub(channel).attach(this);
  }

  TestLane greet() {
    return send(
        BridgeFrame.newBuilder()
            .setHello(Hello.newBuilder().setRevision(1).setInstance(1).setNode("test")));
  }

  TestLane open(long connection, Framing framing, long limit) {
    return send(openFrame(connection, framing, limit));
  }

  TestLane data(long connection, long offset, String payload, boolean last) {
    return send(dataFrame(connection, offset, payload, last));
  }

  TestLane send(BridgeFrame.Builder frame) {
    return send(BridgeBatch.newBuilder().addFrames(frame).build());
  }

  TestLane send(BridgeBatch batch) {
    requests.onNext(batch);
    return this;
  }

  void cancel() {
    requests.onError(Status.CANCELLED.asException());
  }

  static BridgeFrame.Builder openFrame(long connection, Framing framing, long limit) {
    Open open =
        Open.newBuilder()
            .setMark("mark-" + connection)
            .setClientAddress("127.0.0.1:9")
            .setFraming(framing)
            .setLimit(limit)
            .build();
    return BridgeFrame.newBuilder().setConnection(connection).setOpen(open);
  }

  static BridgeFrame.Builder dataFrame(long connection, long offset, String payload, boolean last) {
    return BridgeFrame.newBuilder()
        .setConnection(connection)
        .setOffset(offset)
        .setPayload(ByteString.copyFromUtf8(payload))
        .setLast(last);
  }

  /** Waits until there are this many frames, and returns all. */
  List<UpstreamFrame> await(int frames) {
    Awaitility.await().until(() -> frames().size() >= frames);
    return frames();
  }

  /** Waits for this many frames with bytes of a connection, and returns the bytes. */
  String replies(long connection, int frames) {
    Awaitility.await().until(() -> replies(connection).size() >= frames);
    return String.join("", replies(connection));
  }

  Status awaitStatus() {
    return Awaitility.await().untilAtomic(status, Matchers.notNullValue());
  }

  int batches() {
    return received.size();
  }

  private List<UpstreamFrame> frames() {
    List<UpstreamFrame> frames = new ArrayList<>();
    received.forEach(batch -> frames.addAll(batch.getFramesList()));
    return frames;
  }

  private List<String> replies(long connection) {
    return frames().stream()
        .filter(frame -> frame.getConnection() == connection && !frame.getPayload().isEmpty())
        .map(frame -> frame.getPayload().toString(UTF_8))
        .toList();
  }

  @Override
  public void onNext(UpstreamBatch batch) {
    received.add(batch);
  }

  @Override
  public void onError(Throwable error) {
    status.set(Status.fromThrowable(error));
  }

  @Override
  public void onCompleted() {
    status.set(Status.OK);
  }
}
