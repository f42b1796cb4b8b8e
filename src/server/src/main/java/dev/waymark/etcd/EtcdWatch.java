package dev.waymark.etcd;

import com.google.protobuf.ByteString;
import dev.waymark.etcd.pb.RangeRequest;
import dev.waymark.etcd.pb.WatchCreateRequest;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import io.grpc.Status;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Tells a listener what etcd has below a prefix, for as long as it is not closed, through every
 * loss of a server: {@link PrefixWatch} decides, and this asks. A server that does not say anything
 * for 10 s is checked, and left if it is silent for 5 s more. Every 5 to 10 minutes everything is
 * listed anew, in case a watch has become deaf. Confined to the control thread.
 */
public final class EtcdWatch implements AutoCloseable {
  private static final Duration RETRY_MIN = Duration.ofMillis(100);
  private static final Duration RETRY_MAX = Duration.ofSeconds(30);
  private static final long TICK_MS = 1_000;

  /** How long a watch lasts: random, so that those of a fleet do not end together. */
  private static final long WATCH_MIN_MS = 300_000;

  private static final long WATCH_MAX_MS = 600_000;

  /**
   * How it goes. Immutable.
   *
   * @param server that answers, as host:port; empty if there is none now
   * @param sinceNs since when it has
   * @param heardNs when etcd last answered; empty: never
   * @param revision up to which everything is known; 0: nothing is
   */
  public record Contact(
      Optional<String> server, long sinceNs, OptionalLong heardNs, long revision) {}

  private final EtcdClient client;
  private final ControlLoop control;
  private final String prefix;
  private final ByteString begin;
  private final ByteString end;
  private final PrefixListener listener;
  private final PrefixWatch watch;
  private final RandomGenerator random;
  private final RetryWaits waits;
  private final EtcdTask task = new Task();

  /** Null while there is none. */
  private @Nullable EtcdSession session;

  /** Cancels the watch; null if there is none. */
  private @Nullable Runnable call;

  /** The number of the present list and the watch that follows it. */
  private long round;

  private long watchingSinceNs;

  /** When etcd last answered in a session that has ended. */
  private OptionalLong heardNs = OptionalLong.empty();

  private @Nullable ScheduledFuture<?> endOfWatch;
  private @Nullable ScheduledFuture<?> retry;
  private @Nullable ScheduledFuture<?> ticks;

  /**
   * @param prefix such as {@code svc/echo/}; not empty
   */
  public EtcdWatch(
      EtcdClient client,
      ControlLoop control,
      RandomGenerator random,
      String prefix,
      PrefixListener listener) {
    this.client = client;
    this.control = control;
    this.prefix = prefix;
    this.begin = ByteString.copyFromUtf8(prefix);
    this.end = Keys.endOf(begin);
    this.listener = listener;
    this.watch = new PrefixWatch(begin, listener);
    this.random = random;
    this.waits = new RetryWaits(RETRY_MIN, RETRY_MAX, random);
  }

  /** Begins; called once. */
  public void start() {
    ticks =
        control
            .eventLoop()
            .scheduleWithFixedDelay(this::onTick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    client.add(task);
  }

  /** Ends: no callback follows. */
  @Override
  public void close() {
    client.remove(task);
    cancel(ticks);
    leave();
  }

  /** How it goes, for people. */
  public Contact contact() {
    EtcdSession now = session;
    if (now != null && now.firstAnswerNs().isPresent()) {
      return new Contact(
          Optional.of(now.server()),
          now.firstAnswerNs().getAsLong(),
          now.lastAnswerNs(),
          watch.knownRevision());
    }
    return new Contact(Optional.empty(), 0, heardNs, watch.knownRevision());
  }

  private void onTick() {
    if (session != null) {
      perform(session, watch.onTick(control.time().nowNs()));
    }
  }

  /** Whatever has been asked is not of interest any more. */
  private void leave() {
    endCall();
    cancel(retry);
    if (session != null && session.lastAnswerNs().isPresent()) {
      heardNs = session.lastAnswerNs();
    }
    session = null;
  }

  private void endCall() {
    if (call != null) {
      call.run();
      call = null;
      cancel(endOfWatch);
      waits.resetAfter(TimeUnit.NANOSECONDS.toMillis(control.time().nowNs() - watchingSinceNs));
    }
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  // --- steps ---

  /** Passes what comes in to {@link #watch}, unless it belongs to a round that is over. */
  private <A> Consumer<A> input(EtcdSession on, Function<A, PrefixWatch.Step> how) {
    long asked = round;
    return answer -> {
      if (on == session && asked == round) {
        perform(on, how.apply(answer));
      }
    };
  }

  private void perform(EtcdSession on, PrefixWatch.Step step) {
    switch (step) {
      case PrefixWatch.Step.Await() -> {}
      case PrefixWatch.Step.Page page -> askPage(on, page);
      case PrefixWatch.Step.Verify(ByteString key, long revision) -> verify(on, key, revision);
      case PrefixWatch.Step.Watch(long revision) -> watch(on, revision);
      case PrefixWatch.Step.Check() -> check(on);
      case PrefixWatch.Step.Again() -> retryLater(on);
      case PrefixWatch.Step.Refused(Status why) -> refused(on, why);
      case PrefixWatch.Step.Full() -> {
        listener.onProblem(
            new UpstreamProblem(Kind.REGISTRY_FAILED, "too many keys or bytes below " + prefix));
        retryLater(on);
      }
      case PrefixWatch.Step.Silent() -> on.end(Status.DEADLINE_EXCEEDED);
    }
  }

  private void askPage(EtcdSession on, PrefixWatch.Step.Page page) {
    RangeRequest request =
        RangeRequest.newBuilder()
            .setKey(page.from())
            .setRangeEnd(end)
            .setLimit(page.keys())
            .setRevision(page.revision())
            .build();
    on.range(
        request,
        input(on, watch::onPage),
        input(on, refusal -> watch.onPageRefused(page.from(), refusal)));
  }

  private void verify(EtcdSession on, ByteString key, long revision) {
    on.range(
        RangeRequest.newBuilder().setKey(key).setRevision(revision).build(),
        input(on, watch::onVerified),
        input(on, watch::onVerifyRefused));
  }

  private void check(EtcdSession on) {
    on.range(
        RangeRequest.newBuilder().setKey(begin).build(),
        input(on, _ -> watch.onChecked(control.time().nowNs())),
        input(on, PrefixWatch.Step.Refused::new));
  }

  private void watch(EtcdSession on, long revision) {
    WatchCreateRequest request =
        WatchCreateRequest.newBuilder()
            .setKey(begin)
            .setRangeEnd(end)
            .setStartRevision(revision)
            .setProgressNotify(true)
            .setFragment(true)
            .build();
    watchingSinceNs = control.time().nowNs();
    watch.onWatchSent(watchingSinceNs);
    call =
        on.watch(
            request,
            input(on, answer -> watch.onWatchAnswer(answer, control.time().nowNs())),
            input(on, watch::onWatchRefused));
    endOfWatch =
        control
            .eventLoop()
            .schedule(
                () -> retryLater(on),
                random.nextLong(WATCH_MIN_MS, WATCH_MAX_MS),
                TimeUnit.MILLISECONDS);
  }

  private void refused(EtcdSession on, Status why) {
    if (EtcdErrors.isRefusal(why)) {
      listener.onProblem(on.problem(why));
      retryLater(on);
    } else {
      on.end(why);
    }
  }

  private void retryLater(EtcdSession on) {
    endCall();
    cancel(retry);
    round++;
    retry =
        control
            .eventLoop()
            .schedule(() -> perform(on, watch.onRetry()), waits.nextMs(), TimeUnit.MILLISECONDS);
  }

  /** The client's side of this. */
  private final class Task implements EtcdTask {
    @Override
    public void onSession(EtcdSession opened) {
      session = opened;
      round++;
      perform(opened, watch.onSession());
    }

    @Override
    public void onSessionEnd() {
      leave();
    }

    @Override
    public void onProblem(UpstreamProblem problem) {
      listener.onProblem(problem);
    }
  }
}
