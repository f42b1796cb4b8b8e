package dev.waymark.etcd;

import com.google.protobuf.ByteString;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import io.grpc.Status;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Keeps keys in etcd for as long as this process lives, under one lease: {@link LeasedKeys}
 * decides, and this asks, for ever. When it is closed the keys are gone at once; when the process
 * dies, after the TTL. Confined to the control thread.
 */
public final class EtcdPublisher {
  public static final int KEYS_MAX = 100_000;
  public static final int KEY_BYTES_MAX = 1_024;
  public static final int VALUE_BYTES_MAX = NamingValue.VALUE_BYTES_MAX;

  private static final Duration RETRY_MIN = Duration.ofMillis(100);

  /** The longest wait after a refusal: so many in a TTL, since it may hold up a renewal. */
  private static final int RETRIES_PER_TTL = 3;

  /** How long an end waits for etcd. */
  private static final long CLOSE_TIMEOUT_MS = 2_000;

  /**
   * How it goes. Immutable.
   *
   * @param completeSinceNs since when all keys have been in etcd, on the control thread's clock;
   *     empty if some are not, or if etcd has not been heard of for the TTL
   * @param problem what went wrong last; empty if all is well
   */
  public record Progress(
      int keyCount, OptionalLong completeSinceNs, Optional<UpstreamProblem> problem) {}

  private final EtcdClient client;
  private final ControlLoop control;
  private final long ttlS;
  private final RetryWaits waits;
  private final LeasedKeys keys = new LeasedKeys();
  private final EtcdTask task = new Task();

  /** Null while there is none. */
  private @Nullable EtcdSession session;

  private @Nullable UpstreamProblem problem;
  private @Nullable ScheduledFuture<?> nextStep;
  private @Nullable ScheduledFuture<?> retry;
  private boolean isClosed;

  /**
   * @param ttl after which the keys of a process that has died are gone, in whole seconds, 2 or
   *     more; etcd may grant a longer one. From 10 s on, an etcd that restarts costs no key
   */
  public EtcdPublisher(
      EtcdClient client, ControlLoop control, RandomGenerator random, Duration ttl) {
    this.client = client;
    this.control = control;
    this.ttlS = ttl.toSeconds();
    this.waits = new RetryWaits(RETRY_MIN, ttl.dividedBy(RETRIES_PER_TTL), random);
  }

  // --- inputs ---

  /** Begins; called once. */
  public void start() {
    client.add(task);
  }

  /**
   * Puts a key, or gives it another value.
   *
   * @throws IllegalArgumentException if key or value is too long, or there are too many
   */
  public void put(String key, ByteString value) {
    ByteString name = ByteString.copyFromUtf8(key);
    if (name.isEmpty() || name.size() > KEY_BYTES_MAX || value.size() > VALUE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a key of " + name.size() + " bytes with a value of " + value.size());
    }
    if (keys.keyCount() >= KEYS_MAX) {
      throw new IllegalArgumentException("more than " + KEYS_MAX + " keys");
    }
    keys.put(name, value);
    goOn();
  }

  /** Deletes a key that was put here, unless somebody else has put it meanwhile. */
  public void remove(String key) {
    keys.remove(ByteString.copyFromUtf8(key));
    goOn();
  }

  /**
   * Ends, and deletes all keys at once if etcd can be reached; else they are gone after the TTL.
   *
   * @param onClosed called once, after 2 s at most, perhaps before this returns
   */
  public void close(Runnable onClosed) {
    if (isClosed) {
      onClosed.run();
      return;
    }
    isClosed = true;
    EtcdSession last = session;
    client.remove(task);
    leave();
    if (last == null || keys.lease() == 0) {
      onClosed.run();
      return;
    }
    // Completed by what comes first.
    CompletableFuture<Void> end = new CompletableFuture<>();
    var _ = end.thenRun(onClosed);
    last.revokeLease(keys.lease(), _ -> end.complete(null), _ -> end.complete(null));
    control.eventLoop().schedule(() -> end.complete(null), CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }

  // --- outputs ---

  public Progress progress() {
    return new Progress(
        keys.keyCount(), keys.completeSinceNs(nowNs()), Optional.ofNullable(problem));
  }

  // --- steps ---

  private void goOn() {
    if (session != null) {
      perform(session, keys.next(nowNs()));
    }
  }

  private void perform(EtcdSession on, LeasedKeys.Step step) {
    switch (step) {
      case LeasedKeys.Step.Await() -> {}
      case LeasedKeys.Step.Rest(long ns) -> rest(on, ns);
      case LeasedKeys.Step.Grant() ->
          on.grantLease(
              ttlS,
              input(on, lease -> keys.onGranted(lease.getId(), lease.getTtl(), nowNs())),
              refusal(on));
      case LeasedKeys.Step.Renew(long lease) ->
          on.renewLease(
              lease, input(on, answer -> keys.onRenewed(answer.getTtl(), nowNs())), refusal(on));
      case LeasedKeys.Step.Store(var changes) ->
          on.txn(changes, input(on, _ -> keys.onStored(nowNs())), refusal(on));
      case LeasedKeys.Step.Refused(Status why) -> {
        problem = on.problem(why);
        perform(on, keys.next(nowNs()));
      }
      case LeasedKeys.Step.Wait() -> waitOnce(on);
    }
  }

  /** Passes an answer to {@link #keys}, unless it comes too late. */
  private <A> Consumer<A> input(EtcdSession on, Function<A, LeasedKeys.Step> how) {
    return answer -> {
      if (on == session) {
        LeasedKeys.Step next = how.apply(answer);
        if (!keys.isPending()) {
          problem = null;
          waits.reset();
        }
        perform(on, next);
      }
    };
  }

  private Consumer<Status> refusal(EtcdSession on) {
    return why -> {
      if (on == session) {
        perform(on, keys.onRefused(why, nowNs()));
      }
    };
  }

  private void rest(EtcdSession on, long ns) {
    cancel(nextStep);
    // Timers are in milliseconds, and must not come too early.
    long ms = TimeUnit.NANOSECONDS.toMillis(ns) + 1;
    nextStep =
        control
            .eventLoop()
            .schedule(() -> perform(on, keys.next(nowNs())), ms, TimeUnit.MILLISECONDS);
  }

  private void waitOnce(EtcdSession on) {
    if (retry == null) {
      retry =
          control
              .eventLoop()
              .schedule(
                  () -> {
                    retry = null;
                    perform(on, keys.onRetry(nowNs()));
                  },
                  waits.nextMs(),
                  TimeUnit.MILLISECONDS);
    }
  }

  private void leave() {
    session = null;
    cancel(nextStep);
    cancel(retry);
    retry = null;
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  private long nowNs() {
    return control.time().nowNs();
  }

  /** The client's side of this. */
  private final class Task implements EtcdTask {
    @Override
    public void onSession(EtcdSession opened) {
      session = opened;
      perform(opened, keys.onSession(nowNs()));
    }

    @Override
    public void onSessionEnd() {
      leave();
      keys.onSessionEnd();
    }

    @Override
    public void onProblem(UpstreamProblem why) {
      problem = why;
    }
  }
}
