package dev.waymark.upstream.registry;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.waymark.v1.RegisterResponse;
import io.grpc.CallCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the instances of a node registered with one directory, for as long as it is open:
 *
 * <pre>{@code
 * Registration registration =
 *     Registration.of("echo-7")
 *         .with(ServiceInstance.of("echo", "10.0.0.7:4770"))
 *         .start(ManagedChannelBuilder.forTarget("10.0.0.1:7400").usePlaintext().build());
 * }</pre>
 *
 * <p>A directory that is away is tried again for ever, with growing and random waits of at most a
 * quarter of the TTL once it had worked. Changes reach it at once; changes made while it is away
 * are told by their result. {@link #close} de-registers the instances; if the process dies, the
 * directory does so after the TTL.
 *
 * <p>Thread-safe. No method blocks, except {@link #close}.
 */
public final class Registration implements AutoCloseable {
  /** How many instances a registration may have. */
  public static final int INSTANCES_MAX = 1_000;

  /** The longest time that {@link #close} takes. */
  private static final long CLOSE_MS = 1_200;

  private static final Logger log = LoggerFactory.getLogger(Registration.class);

  private final String node;
  private final Duration ttl;
  private final RegistrationListener listener;
  private final @Nullable CallCredentials credentials;
  private final ScheduledExecutorService scheduler;
  private final boolean isOwnScheduler;
  private final LongSupplier monotonicNs;
  private final InstantSource wallClock;
  private final DirectoryDialler dialler;
  private final CompletableFuture<Void> left = new CompletableFuture<>();

  private final Object lock = new Object();

  /** What the scheduler has not seen yet: of each instance only the newest. Under the lock. */
  private final Map<InstanceKey, Optional<ServiceInstance>> incoming = new LinkedHashMap<>();

  /** All that are to be registered. Under the lock. */
  private final Set<InstanceKey> keys = new HashSet<>();

  /** Whether the scheduler will look. Under the lock. */
  private boolean isWoken;

  /** Under the lock. */
  private boolean isLeaving;

  private volatile RegistrationStatus status;
  private volatile @Nullable Thread running;

  // Confined to the scheduler.
  private final RegistrationState state;
  private long attempts;

  /** The attempt after which the dialler was asked when to try again. */
  private long hintOf;

  private @Nullable RegisterCall call;
  private @Nullable ScheduledFuture<?> timer;

  private Registration(Builder built, DirectoryDialler dialler) {
    this.node = built.node;
    this.ttl = built.ttl;
    this.listener = built.listener;
    this.credentials = built.credentials;
    this.scheduler = built.scheduler == null ? ownScheduler() : built.scheduler;
    this.isOwnScheduler = built.scheduler == null;
    this.monotonicNs = built.monotonicNs;
    this.wallClock = built.wallClock;
    this.dialler = dialler;
    this.state = new RegistrationState(built.random, monotonicNs.getAsLong());
    this.status = new RegistrationStatus(dialler.name(), false, wallClock.instant(), "", Map.of());
    // Before the first request, which may go out at any moment from then on.
    synchronized (lock) {
      built.instances.forEach(this::note);
    }
  }

  private static ScheduledExecutorService ownScheduler() {
    var own =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "waymark-registration");
              thread.setDaemon(true);
              return thread;
            });
    own.setRemoveOnCancelPolicy(true);
    return own;
  }

  /**
   * Begins to build a registration.
   *
   * @param node identifies the process that speaks for the instances: 1 to 253 printable
   *     characters. Two processes with the same name would take the registration from each other
   */
  public static Builder of(String node) {
    return new Builder(node);
  }

  // --- any thread ---

  /**
   * Registers an instance, or changes one: service and address identify it. No effect after {@link
   * #close}.
   *
   * @throws IllegalStateException if there are {@value #INSTANCES_MAX} others
   */
  public void put(ServiceInstance instance) {
    synchronized (lock) {
      note(instance);
    }
    wake();
  }

  /** Under the lock. */
  private void note(ServiceInstance instance) {
    if (keys.size() == INSTANCES_MAX && !keys.contains(instance.key())) {
      throw new IllegalStateException("a registration has at most " + INSTANCES_MAX + " instances");
    }
    keys.add(instance.key());
    incoming.put(instance.key(), Optional.of(instance));
  }

  /** De-registers an instance; no effect if it is not registered. */
  public void remove(String service, String address) {
    InstanceKey key = new InstanceKey(service, address);
    synchronized (lock) {
      if (!keys.remove(key)) {
        return;
      }
      incoming.put(key, Optional.empty());
    }
    wake();
  }

  /** How the registration stands. */
  public RegistrationStatus status() {
    return status;
  }

  /**
   * De-registers all instances and ends.
   *
   * @return complete when the directory has confirmed it, or cannot be reached: in about a second
   *     at most
   */
  public CompletableFuture<Void> leave() {
    synchronized (lock) {
      isLeaving = true;
    }
    wake();
    return left.copy();
  }

  /**
   * De-registers all instances and ends. Returns when the directory has confirmed it, or cannot be
   * reached: in about a second at most; at once when called by the listener.
   */
  @Override
  public void close() {
    CompletableFuture<Void> leaving = leave();
    if (Thread.currentThread() == running) {
      return;
    }
    try {
      leaving.get(CLOSE_MS, MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException late) {
      log.debug("the directory {} has not confirmed the end in time", dialler.name());
    }
  }

  private void wake() {
    synchronized (lock) {
      if (isWoken) {
        return;
      }
      isWoken = true;
    }
    if (!execute(this::takeChanges)) {
      left.complete(null);
    }
  }

  /** Returns false if the scheduler has ended. */
  private boolean execute(Runnable input) {
    try {
      scheduler.execute(() -> run(input));
      return true;
    } catch (RejectedExecutionException ended) {
      return false;
    }
  }

  // --- the scheduler ---

  private void run(Runnable input) {
    running = Thread.currentThread();
    try {
      input.run();
      if (!left.isDone()) {
        proceed();
      }
    } finally {
      running = null;
    }
  }

  private void takeChanges() {
    List<Map.Entry<InstanceKey, Optional<ServiceInstance>>> changes;
    synchronized (lock) {
      isWoken = false;
      changes = new ArrayList<>(incoming.entrySet());
      incoming.clear();
      if (isLeaving) {
        state.leave();
      }
    }
    changes.forEach(change ->
        change.getValue().ifPresentOrElse(state::put, () -> state.remove(change.getKey())));
  }

  private void proceed() {
    while (true) {
      Step step = state.next(call != null && call.isReady(), monotonicNs.getAsLong());
      if (step instanceof Step.Wait wait) {
        arm(wait.untilNs());
        tell();
        askForHint();
        return;
      }
      if (step instanceof Step.End) {
        end();
        return;
      }
      take(step);
    }
  }

  private void take(Step step) {
    RegisterCall current = call;
    if (step instanceof Step.Dial) {
      dial();
    } else if (step instanceof Step.HangUp) {
      hangUp();
    } else if (current != null && step instanceof Step.Send send) {
      current.send(Wire.request(send, node, ttl));
    } else if (current != null && step instanceof Step.HalfClose) {
      current.halfClose();
    }
  }

  /** Once for each wait between attempts. */
  private void askForHint() {
    if (state.isWaiting() && hintOf != attempts) {
      long attempt = attempts;
      hintOf = attempt;
      dialler.whenReachable(() ->
          execute(() -> {
            if (attempt == attempts) {
              state.onReachable(monotonicNs.getAsLong());
            }
          }));
    }
  }

  private void arm(long atNs) {
    cancelTimer();
    long delayNs = Math.max(0, atNs - monotonicNs.getAsLong());
    try {
      timer = scheduler.schedule(() -> run(() -> {}), delayNs, NANOSECONDS);
    } catch (RejectedExecutionException ended) {
      left.complete(null);
    }
  }

  private void cancelTimer() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
  }

  private void end() {
    cancelTimer();
    hangUp();
    tell();
    left.complete(null);
    if (isOwnScheduler) {
      scheduler.shutdown();
    }
  }

  private void hangUp() {
    attempts++;
    if (call != null) {
      call.cancel();
      call = null;
    }
  }

  private void dial() {
    long attempt = ++attempts;
    CompletableFuture<DirectoryLink> dialling;
    try {
      dialling = dialler.dial().toCompletableFuture();
    } catch (RuntimeException failed) {
      dialling = CompletableFuture.failedFuture(failed);
    }
    dialling.whenComplete((link, failure) -> {
      boolean isHandled = execute(() -> onDialled(attempt, link, failure));
      if (!isHandled && link != null) {
        link.close();
      }
    });
  }

  private void onDialled(long attempt, @Nullable DirectoryLink link, @Nullable Throwable failure) {
    if (attempt != attempts) {
      if (link != null) {
        link.close();
      }
    } else if (link == null) {
      state.onBroken(message(failure), monotonicNs.getAsLong());
    } else {
      state.onLink(monotonicNs.getAsLong());
      call = RegisterCall.begin(link, credentials, new OfCall());
    }
  }

  private static String message(@Nullable Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause == null || cause.getMessage() == null ? String.valueOf(cause) : cause.getMessage();
  }

  private void tell() {
    RegistrationStatus before = status;
    boolean isRegistered = state.isRegistered();
    Instant since = isRegistered == before.isRegistered() ? before.since() : wallClock.instant();
    RegistrationStatus now =
        new RegistrationStatus(
            dialler.name(), isRegistered, since, state.problem(), state.refused());
    if (now.equals(before)) {
      return;
    }
    status = now;
    try {
      listener.onStatus(now);
    } catch (RuntimeException bug) {
      log.warn("the listener of a registration failed", bug);
    }
  }

  /** Events of a call that has been given up are ignored. */
  private final class OfCall implements RegisterCall.Listener {
    @Override
    public void onReady(RegisterCall from) {
      execute(() -> {});
    }

    @Override
    public void onAnswer(RegisterCall from, RegisterResponse response) {
      execute(() -> {
        if (from == call) {
          state.onAnswer(
              Integer.toUnsignedLong(response.getTtlMs()),
              Wire.refused(response),
              monotonicNs.getAsLong());
          from.readNext();
        }
      });
    }

    @Override
    public void onEnd(RegisterCall from, Status ended) {
      execute(() -> {
        if (from == call) {
          call = null;
          state.onBroken(from.problem(ended), monotonicNs.getAsLong());
        }
      });
    }
  }

  /** Builds registrations; may be used again for another directory. Not thread-safe. */
  public static final class Builder {
    private static final int NODE_CHARS_MAX = 253;
    private static final Duration TTL_MIN = Duration.ofSeconds(1);
    private static final Duration TTL_MAX = Duration.ofHours(1);

    private final String node;
    private final List<ServiceInstance> instances = new ArrayList<>();
    private Duration ttl = Duration.ofSeconds(10);
    private RegistrationListener listener = status -> {};
    private @Nullable CallCredentials credentials;
    private @Nullable ScheduledExecutorService scheduler;
    private LongSupplier monotonicNs = System::nanoTime;
    private InstantSource wallClock = InstantSource.system();
    private RandomGenerator random = () -> ThreadLocalRandom.current().nextLong();

    private Builder(String node) {
      if (node.isEmpty()
          || node.length() > NODE_CHARS_MAX
          || node.chars().anyMatch(Character::isISOControl)) {
        throw new IllegalArgumentException("node: 1 to 253 printable characters");
      }
      this.node = node;
    }

    /** These instances are registered from the start. */
    public Builder with(ServiceInstance... each) {
      instances.addAll(List.of(each));
      return this;
    }

    /**
     * After how long without a heartbeat the instances are gone: 1 s to 1 h, 10 s if not called. A
     * directory may grant less.
     */
    public Builder ttl(Duration value) {
      if (value.compareTo(TTL_MIN) < 0 || value.compareTo(TTL_MAX) > 0) {
        throw new IllegalArgumentException("ttl: " + value + " (expected: 1 s to 1 h)");
      }
      ttl = value;
      return this;
    }

    /** Learns how the registration stands. */
    public Builder listener(RegistrationListener value) {
      listener = value;
      return this;
    }

    /** Credentials for each call, such as a token. */
    public Builder credentials(CallCredentials value) {
      credentials = value;
      return this;
    }

    /**
     * Runs everything on this scheduler, which must run one task at a time and outlive the
     * registration; otherwise each registration has a thread of its own.
     */
    public Builder scheduler(ScheduledExecutorService value) {
      scheduler = value;
      return this;
    }

    /** Replaces the clocks and the randomness, for tests. */
    Builder time(LongSupplier monotonic, InstantSource wall, RandomGenerator jitter) {
      monotonicNs = monotonic;
      wallClock = wall;
      random = jitter;
      return this;
    }

    /**
     * Starts to register with the directory at the other end of this channel, of any transport. The
     * channel is not closed by the registration.
     *
     * @throws IllegalStateException if there are more than {@value #INSTANCES_MAX} instances
     */
    public Registration start(ManagedChannel directory) {
      return start(new ChannelDialler(directory));
    }

    /**
     * Starts to register with a directory that is found anew for each attempt.
     *
     * @throws IllegalStateException if there are more than {@value #INSTANCES_MAX} instances
     */
    public Registration start(DirectoryDialler directory) {
      Registration started = new Registration(this, directory);
      started.wake();
      return started;
    }
  }
}
