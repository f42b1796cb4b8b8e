package dev.waymark.tools.directory;

import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.table.Table;
import dev.waymark.registry.table.Table.Refusal;
import dev.waymark.registry.table.TableLimits;
import dev.waymark.registry.wire.BadInstanceException;
import dev.waymark.registry.wire.InstanceReader;
import dev.waymark.registry.wire.InstanceWriter;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.v1.Refused;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/** The calls of nodes that register their instances. Confined to the directory's loop. */
final class Registrations {
  private static final Pattern NODE = Pattern.compile("[\\x20-\\x7e]{1,253}");

  /** What a node may send per second on average; at most ten times as many at once. */
  private static final int REQUESTS_PER_SECOND_MAX = 100;

  private static final int INSTANCES_PER_SECOND_MAX = 5_000;
  private static final int BURST = 10;

  private final Table table;
  private final TableLimits limits;
  private final DirectoryCounters counters;
  private final EventLog log;
  private final LongSupplier nowNs;

  /** By the name of the node. */
  private final Map<String, Call> calls = new HashMap<>();

  Registrations(
      Table table,
      TableLimits limits,
      DirectoryCounters counters,
      EventLog log,
      LongSupplier nowNs) {
    this.table = table;
    this.limits = limits;
    this.counters = counters;
    this.log = log;
    this.nowNs = nowNs;
  }

  /** A node calls. */
  StreamObserver<RegisterRequest> open(ServerCallStreamObserver<RegisterResponse> answers) {
    Call call = new Call(answers, Caller.current());
    answers.disableAutoRequest();
    // The next request is read when the answer to the last one can be sent.
    answers.setOnReadyHandler(call::readOn);
    answers.setOnCancelHandler(call::onBroken);
    call.read();
    return call;
  }

  /** A node has expired: its call, if it is still there, must begin anew. */
  void onExpired(String node) {
    Call call = calls.get(node);
    if (call != null) {
      call.fail(
          Status.NOT_FOUND.withDescription(
              "no heartbeat came for the TTL, so the node was removed; register again"));
    }
  }

  /** The call of a node. */
  private final class Call implements StreamObserver<RegisterRequest> {
    private final ServerCallStreamObserver<RegisterResponse> answers;
    private final Caller caller;
    private final Allowance requests =
        new Allowance(REQUESTS_PER_SECOND_MAX, REQUESTS_PER_SECOND_MAX * BURST);
    private final Allowance instances =
        new Allowance(
            INSTANCES_PER_SECOND_MAX, limits.nodeInstancesMax() + INSTANCES_PER_SECOND_MAX);
    private String node = "";
    private Duration ttl = limits.ttl();
    private long session;
    private boolean isOver;
    private boolean isReading;

    Call(ServerCallStreamObserver<RegisterResponse> answers, Caller caller) {
      this.answers = answers;
      this.caller = caller;
    }

    @Override
    public void onNext(RegisterRequest request) {
      isReading = false;
      if (isOver) {
        return;
      }
      counters.requests.increment();
      Optional<String> excess = excess(request);
      if (excess.isPresent()) {
        fail(Status.RESOURCE_EXHAUSTED.withDescription(excess.get()));
        return;
      }
      if (session == 0) {
        open(request);
      } else {
        change(request);
      }
      readOn();
    }

    private Optional<String> excess(RegisterRequest request) {
      long now = nowNs.getAsLong();
      if (!requests.take(1, now)) {
        return Optional.of("more than " + REQUESTS_PER_SECOND_MAX + " requests per second");
      }
      if (!instances.take(request.getPutCount() + request.getRemoveCount(), now)) {
        return Optional.of("more than " + INSTANCES_PER_SECOND_MAX + " changes per second");
      }
      return Optional.empty();
    }

    private void open(RegisterRequest request) {
      String name = request.getNode();
      if (!NODE.matcher(name).matches()) {
        fail(
            Status.INVALID_ARGUMENT.withDescription(
                "node: missing, or not 1 to 253 printable ASCII characters; the first request names it"));
        return;
      }
      long askedMs = Integer.toUnsignedLong(request.getTtlMs());
      if (askedMs > 0 && askedMs < TableLimits.TTL_MIN.toMillis()) {
        fail(
            Status.INVALID_ARGUMENT.withDescription(
                "ttl_ms: " + askedMs + " (expected: 0, or 1000 or more)"));
        return;
      }
      if (askedMs > 0) {
        ttl = Duration.ofMillis(Math.min(askedMs, limits.ttl().toMillis()));
      }
      List<Refused> refused = new ArrayList<>();
      List<Instance> taken = read(request.getPutList(), refused);
      List<Refusal> refusals = new ArrayList<>();
      session = table.open(name, ttl.toNanos(), taken, refusals, nowNs.getAsLong());
      if (session == 0) {
        fail(
            Status.RESOURCE_EXHAUSTED.withDescription(
                "the directory has " + limits.nodesMax() + " nodes, its maximum"));
        return;
      }
      node = name;
      Call former = calls.put(name, this);
      if (former != null) {
        former.fail(Status.ABORTED.withDescription("another call took the place of this one"));
      }
      log.write(
          Event.NODE_REGISTERED,
          "node",
          name,
          "peer",
          caller.peer(),
          "as",
          caller.name(),
          "instances",
          taken.size());
      answer(refused, refusals);
    }

    private void change(RegisterRequest request) {
      List<Refused> refused = new ArrayList<>();
      List<Instance> taken = read(request.getPutList(), refused);
      List<InstanceKey> removed = new ArrayList<>();
      for (dev.waymark.v1.InstanceKey key : request.getRemoveList()) {
        try {
          removed.add(InstanceReader.read(key));
        } catch (BadInstanceException unknown) {
          refused.add(refused(key, unknown.reason()));
        }
      }
      List<Refusal> refusals = new ArrayList<>();
      table.change(node, session, taken, removed, refusals, nowNs.getAsLong());
      if (request.getPutCount() > 0 || !refused.isEmpty()) {
        answer(refused, refusals);
      }
    }

    private List<Instance> read(List<dev.waymark.v1.Instance> said, List<Refused> refused) {
      List<Instance> taken = new ArrayList<>(said.size());
      for (dev.waymark.v1.Instance each : said) {
        try {
          Instance instance = InstanceReader.read(each);
          if (caller.mayRegister().test(instance.service())) {
            taken.add(instance);
          } else {
            refused.add(
                refused(
                    InstanceWriter.write(instance.key()),
                    caller.name() + " may not register " + instance.service()));
          }
        } catch (BadInstanceException bad) {
          refused.add(
              refused(
                  dev.waymark.v1.InstanceKey.newBuilder()
                      .setService(each.getService())
                      .setAddress(each.getAddress())
                      .build(),
                  bad.reason()));
        }
      }
      return taken;
    }

    private static Refused refused(dev.waymark.v1.InstanceKey key, String reason) {
      return Refused.newBuilder().setInstance(key).setReason(reason).build();
    }

    private void answer(List<Refused> refused, List<Refusal> refusals) {
      refusals.forEach(
          refusal -> refused.add(refused(InstanceWriter.write(refusal.key()), refusal.reason())));
      if (!refused.isEmpty()) {
        counters.refused.add(refused.size());
        log.write(
            Event.INSTANCE_REFUSED,
            "node",
            node,
            "instances",
            refused.size(),
            "reason",
            refused.getFirst().getReason());
      }
      answers.onNext(
          RegisterResponse.newBuilder()
              .setTtlMs((int) ttl.toMillis())
              .addAllRefused(refused)
              .build());
    }

    /** Reads the next request once the answer to the last one has left. */
    private void readOn() {
      if (!isOver && !isReading && answers.isReady()) {
        read();
      }
    }

    private void read() {
      isReading = true;
      answers.request(1);
    }

    @Override
    public void onError(Throwable broken) {
      onBroken();
    }

    private void onBroken() {
      if (!isOver) {
        end();
        if (session != 0) {
          table.lose(node, session, nowNs.getAsLong());
          log.write(Event.NODE_LOST, "node", node, "peer", caller.peer());
        }
      }
    }

    @Override
    public void onCompleted() {
      if (!isOver) {
        end();
        if (session != 0) {
          table.leave(node, session, nowNs.getAsLong());
          log.write(Event.NODE_LEFT, "node", node, "peer", caller.peer());
        }
        answers.onCompleted();
      }
    }

    private void fail(Status status) {
      if (!isOver) {
        end();
        if (session != 0) {
          // Has no effect if another call took over.
          table.lose(node, session, nowNs.getAsLong());
        }
        answers.onError(status.asException());
      }
    }

    private void end() {
      isOver = true;
      calls.remove(node, this);
    }
  }
}
