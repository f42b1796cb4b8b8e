package dev.waymark.sim;

import dev.waymark.protocol.codec.InboundBatch;
import dev.waymark.protocol.codec.OutboundBatch;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.PushAnswer;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An upstream process built on the real SDK, from its start to its crash. Its application is an
 * {@link SdkEcho} per connection.
 */
final class SdkProcess {
  /** Push outcomes that the SDK gives itself: the bridge was not asked, or did not answer. */
  private static final Set<String> OWN_ANSWERS = Set.of("NO_LANE", "TOO_MANY", "UNKNOWN");

  private final Sim sim;
  private final SimProcess process;
  private final Upstream upstream;
  private final ServerCallHandler<InboundBatch, OutboundBatch> calls;
  private final Map<SdkLane, List<SdkEcho>> echoes = new LinkedHashMap<>();

  /** The lane whose batch the SDK is processing. */
  private SdkLane entered;

  private boolean isDraining;
  private boolean isDead;

  @SuppressWarnings("unchecked") // The service has one method, which is Attach.
  SdkProcess(Sim sim, SimProcess process) {
    this.sim = sim;
    this.process = process;
    this.upstream =
        Upstream.builder(this::open)
            .acknowledge(process.kind() != SimUpstream.Kind.SDK_PLAIN)
            .windowBytes(sim.askedWindowBytes())
            .build();
    this.calls =
        ((ServerMethodDefinition<InboundBatch, OutboundBatch>)
                upstream.service().getMethods().iterator().next())
            .getServerCallHandler();
  }

  ServerCall.Listener<InboundBatch> start(SdkLane lane) {
    echoes.put(lane, new ArrayList<>());
    return calls.startCall(lane, new Metadata());
  }

  /** Called before a batch of this lane is passed to the SDK: new connections belong to it. */
  void enter(SdkLane lane) {
    entered = lane;
  }

  private ConnectionHandler open(UpstreamConnection connection) {
    SdkEcho echo = new SdkEcho(sim, this, connection, process.kind());
    echoes.get(entered).add(echo);
    return echo;
  }

  void end(SdkLane lane) {
    echoes.remove(lane);
  }

  List<SdkEcho> echoes(SdkLane lane) {
    List<SdkEcho> known = echoes.getOrDefault(lane, new ArrayList<>());
    known.removeIf(SdkEcho::isOver);
    return known;
  }

  void drainIfAsked() {
    if (process.isDraining() && !isDraining) {
      isDraining = true;
      upstream.drain();
    }
  }

  /** Pushes to a random connection; the SDK chooses the lane. */
  void push() {
    SimPush.Payload push = SimPush.payload(sim, sim.anyConnection());
    var payload = Unpooled.wrappedBuffer(push.bytes());
    var answer =
        push.epoch() < 0
            ? upstream.push(push.mark().toString(), payload)
            : upstream.push(push.mark().toString(), payload, (int) push.epoch());
    var _ = answer.thenAccept(told -> onAnswer(push.id(), told));
  }

  private void onAnswer(long id, PushAnswer answer) {
    String outcome = answer.outcome().name();
    if (!OWN_ANSWERS.contains(outcome) && !isDead) {
      sim.mark("sdk push answered");
      sim.history().pushAnswered(id, outcome);
    }
  }

  /** Crashes the process: it has received poison from this connection. */
  void kill(long connection) {
    if (process.isUp()) {
      sim.mark("sdk killed by poison");
      sim.watchers().tell(watcher -> watcher.onKill(connection));
      process.crash(sim.nowNs());
    }
  }

  void crash() {
    sim.mark("sdk process crashes");
    die();
  }

  /** Ends the process: whatever it still does has no effect. */
  void die() {
    isDead = true;
  }

  boolean isDead() {
    return isDead;
  }
}
