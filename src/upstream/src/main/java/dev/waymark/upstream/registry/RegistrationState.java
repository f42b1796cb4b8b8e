package dev.waymark.upstream.registry;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Decides when a registration dials, what it sends, and when it gives a call up: the client's side
 * of {@code Register} in registry.proto. A state machine: inputs change it, and {@link #next} says
 * what to do until it says to wait. Times are monotonic. Confined to the scheduler.
 *
 * <p>Every heartbeat repeats an instance, because the directory answers only requests that have
 * one: a directory that hangs, or a connection that leads nowhere, is noticed well within the TTL.
 */
final class RegistrationState {
  /** When there must be a link. */
  static final long DIAL_TIMEOUT_NS = SECONDS.toNanos(5);

  /** When the first request must be answered, since the call began. */
  static final long FIRST_ANSWER_TIMEOUT_NS = SECONDS.toNanos(5);

  /** The shortest time in which later requests must be answered; otherwise it is a heartbeat. */
  static final long ANSWER_TIMEOUT_MIN_NS = SECONDS.toNanos(1);

  /** How long the directory may take to confirm that the instances are de-registered. */
  static final long LEAVE_TIMEOUT_NS = SECONDS.toNanos(1);

  /** Whatever a directory says. */
  static final long TTL_MIN_NS = SECONDS.toNanos(1);

  static final long TTL_MAX_NS = SECONDS.toNanos(3_600);

  /** Changes wait while so many requests are unanswered. */
  static final int UNANSWERED_MAX = 16;

  /** How many refused instances a heartbeat repeats: the reason may have passed. */
  static final int REPEATED_MAX = 100;

  private enum Phase {
    /** Until the next attempt. */
    WAITING,
    DIALLING,
    /** There is a call without an answer. */
    OPENING,
    REGISTERED,
    /** Half-closed. */
    LEAVING,
    ENDED
  }

  /** A request that will be answered, and what it registers. */
  private record Unanswered(List<InstanceKey> put, long sentNs) {}

  private final RandomGenerator random;
  private final RetryDelays delays;
  private final Map<InstanceKey, ServiceInstance> instances = new LinkedHashMap<>();

  /** What the directory has not been told. */
  private final Set<InstanceKey> changed = new LinkedHashSet<>();

  private final Map<InstanceKey, String> refused = new LinkedHashMap<>();
  private final Deque<Unanswered> unanswered = new ArrayDeque<>();

  private Phase phase = Phase.WAITING;
  private String problem = "";
  private boolean isLeaving;
  private boolean hasSent;

  /** When the phase ends by itself. */
  private long deadlineNs;

  private long ttlNs;
  private long sentNs;
  private long heartbeatNs;
  private long registeredNs;

  RegistrationState(RandomGenerator random, long nowNs) {
    this.random = random;
    this.delays = new RetryDelays(random);
    this.deadlineNs = nowNs;
  }

  // --- inputs ---

  void put(ServiceInstance instance) {
    InstanceKey key = instance.key();
    if (!instance.equals(instances.put(key, instance))) {
      changed.add(key);
    }
  }

  void remove(InstanceKey key) {
    if (instances.remove(key) != null) {
      changed.add(key);
      refused.remove(key);
    }
  }

  /** De-registers everything and ends. */
  void leave() {
    isLeaving = true;
  }

  /** There is a link, and a call begins. */
  void onLink(long nowNs) {
    phase = Phase.OPENING;
    hasSent = false;
    deadlineNs = nowNs + FIRST_ANSWER_TIMEOUT_NS;
  }

  /**
   * The directory has answered the oldest request.
   *
   * @param reasons the instances that it did not take
   */
  void onAnswer(long answeredTtlMs, Map<InstanceKey, String> reasons, long nowNs) {
    Unanswered request = unanswered.poll();
    if (request == null || phase == Phase.LEAVING) {
      return;
    }
    ttlNs = Math.min(TTL_MAX_NS, Math.max(TTL_MIN_NS, MILLISECONDS.toNanos(answeredTtlMs)));
    delays.limit(ttlNs / 4);
    if (phase == Phase.OPENING) {
      phase = Phase.REGISTERED;
      problem = "";
      registeredNs = nowNs;
      planHeartbeat();
    }
    request.put().forEach(refused::remove);
    reasons.forEach((key, reason) -> {
      if (instances.containsKey(key)) {
        refused.put(key, reason);
      }
    });
  }

  /** The attempt has failed or its call has ended, and there is no link any more. */
  void onBroken(String why, long nowNs) {
    if (phase == Phase.LEAVING) {
      phase = Phase.ENDED;
    } else {
      retry(why, nowNs, delaysNs(nowNs));
    }
  }

  /** An attempt now has better prospects than the last one. */
  void onReachable(long nowNs) {
    if (phase == Phase.WAITING) {
      deadlineNs = nowNs;
    }
  }

  // --- outputs ---

  /**
   * What to do now.
   *
   * @param isReady whether the call can take a request
   */
  Step next(boolean isReady, long nowNs) {
    return switch (phase) {
      case WAITING -> nextWaiting(nowNs);
      case DIALLING -> nextDialling(nowNs);
      case OPENING -> nextOpening(isReady, nowNs);
      case REGISTERED -> nextRegistered(isReady, nowNs);
      case LEAVING -> nextLeaving(nowNs);
      case ENDED -> new Step.End();
    };
  }

  /** Whether the last attempt is over, and the next one has not begun. */
  boolean isWaiting() {
    return phase == Phase.WAITING;
  }

  boolean isRegistered() {
    return phase == Phase.REGISTERED;
  }

  /** Why it is not registered; empty if it is, or at the start. */
  String problem() {
    return problem;
  }

  Map<InstanceKey, String> refused() {
    return refused;
  }

  // --- transitions ---

  private Step nextWaiting(long nowNs) {
    if (isLeaving) {
      return end();
    }
    if (nowNs - deadlineNs < 0) {
      return new Step.Wait(deadlineNs);
    }
    phase = Phase.DIALLING;
    deadlineNs = nowNs + DIAL_TIMEOUT_NS;
    return new Step.Dial();
  }

  private Step nextDialling(long nowNs) {
    if (isLeaving) {
      return hangUp();
    }
    if (nowNs - deadlineNs >= 0) {
      return giveUp("no way to the directory within " + seconds(DIAL_TIMEOUT_NS), nowNs);
    }
    return new Step.Wait(deadlineNs);
  }

  private Step nextOpening(boolean isReady, long nowNs) {
    if (isLeaving) {
      return hasSent ? halfClose(nowNs) : hangUp();
    }
    if (nowNs - deadlineNs >= 0) {
      return giveUp("no answer within " + seconds(FIRST_ANSWER_TIMEOUT_NS), nowNs);
    }
    return !hasSent && isReady ? sendAll(nowNs) : new Step.Wait(deadlineNs);
  }

  private Step nextRegistered(boolean isReady, long nowNs) {
    if (isLeaving) {
      return halfClose(nowNs);
    }
    long lostNs = sentNs + ttlNs;
    if (nowNs - lostNs >= 0) {
      String stood = "no heartbeat could be sent for " + seconds(nowNs - sentNs);
      retry(stood + ", longer than the TTL", nowNs, 0);
      return new Step.HangUp();
    }
    long answerNs = answerDeadlineNs(lostNs);
    if (nowNs - answerNs >= 0) {
      return giveUp("no answer within " + seconds(answerTimeoutNs()), nowNs);
    }
    if (!isReady || unanswered.size() >= UNANSWERED_MAX) {
      return new Step.Wait(answerNs);
    }
    if (!changed.isEmpty()) {
      return sendChanges(nowNs);
    }
    return nowNs - heartbeatNs >= 0
        ? sendHeartbeat(nowNs)
        : new Step.Wait(answerNs - heartbeatNs < 0 ? answerNs : heartbeatNs);
  }

  private Step nextLeaving(long nowNs) {
    return nowNs - deadlineNs < 0 ? new Step.Wait(deadlineNs) : hangUp();
  }

  private Step halfClose(long nowNs) {
    phase = Phase.LEAVING;
    deadlineNs = nowNs + LEAVE_TIMEOUT_NS;
    return new Step.HalfClose();
  }

  private Step hangUp() {
    phase = Phase.ENDED;
    return new Step.HangUp();
  }

  private Step end() {
    phase = Phase.ENDED;
    return new Step.End();
  }

  private Step giveUp(String why, long nowNs) {
    retry(why, nowNs, delaysNs(nowNs));
    return new Step.HangUp();
  }

  private long delaysNs(long nowNs) {
    if (phase == Phase.REGISTERED) {
      delays.resetAfter(nowNs - registeredNs);
    }
    return delays.nextNs();
  }

  private void retry(String why, long nowNs, long afterNs) {
    phase = Phase.WAITING;
    deadlineNs = nowNs + afterNs;
    problem = why;
    unanswered.clear();
    refused.clear();
  }

  // --- requests ---

  private Step sendAll(long nowNs) {
    hasSent = true;
    changed.clear();
    List<ServiceInstance> all = List.copyOf(instances.values());
    return send(new Step.Send(true, all, List.of()), nowNs);
  }

  private Step sendChanges(long nowNs) {
    List<ServiceInstance> put = new ArrayList<>();
    List<InstanceKey> removed = new ArrayList<>();
    for (InstanceKey key : changed) {
      ServiceInstance instance = instances.get(key);
      if (instance == null) {
        removed.add(key);
      } else {
        put.add(instance);
      }
    }
    changed.clear();
    return send(new Step.Send(false, put, removed), nowNs);
  }

  private Step sendHeartbeat(long nowNs) {
    List<ServiceInstance> repeated =
        (refused.isEmpty() ? instances.keySet().stream().limit(1) : refused.keySet().stream())
            .limit(REPEATED_MAX)
            .map(instances::get)
            .toList();
    return send(new Step.Send(false, repeated, List.of()), nowNs);
  }

  private Step send(Step.Send request, long nowNs) {
    if (request.isFirst() || !request.put().isEmpty()) {
      List<InstanceKey> put = request.put().stream().map(ServiceInstance::key).toList();
      unanswered.add(new Unanswered(put, nowNs));
    }
    sentNs = nowNs;
    planHeartbeat();
    return request;
  }

  /** A third of the TTL, and up to a tenth of that sooner: nodes that start together spread out. */
  private void planHeartbeat() {
    long longestNs = ttlNs / 3;
    heartbeatNs = sentNs + longestNs - random.nextLong(longestNs / 10 + 1);
  }

  private long answerDeadlineNs(long latestNs) {
    Unanswered oldest = unanswered.peek();
    if (oldest == null) {
      return latestNs;
    }
    long dueNs = oldest.sentNs() + answerTimeoutNs();
    return dueNs - latestNs < 0 ? dueNs : latestNs;
  }

  private long answerTimeoutNs() {
    return Math.max(ANSWER_TIMEOUT_MIN_NS, ttlNs / 3);
  }

  private static String seconds(long ns) {
    long ms = NANOSECONDS.toMillis(ns);
    return ms % 1_000 == 0 ? ms / 1_000 + " s" : ms + " ms";
  }
}
