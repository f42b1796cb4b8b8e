package dev.waymark.upstream.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.v1.Instance;
import dev.waymark.v1.RegisterRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A registration and a scripted directory, on one thread and in virtual time. */
final class RegistrationTest {
  private static final ServiceInstance ONE = ServiceInstance.of("echo", "10.0.0.1:4770");
  private static final ServiceInstance TWO = ServiceInstance.of("echo", "10.0.0.2:4770");

  private final String name = UUID.randomUUID().toString();
  private final ManualScheduler scheduler = new ManualScheduler();
  private final ScriptedRegistry directory = new ScriptedRegistry(name);
  private final ManagedChannel channel =
      InProcessChannelBuilder.forName(name).directExecutor().build();
  private final List<RegistrationStatus> told = new ArrayList<>();
  private final RandomGenerator random = RandomGenerator.of("L64X128MixRandom");

  @AfterEach
  void stop() {
    channel.shutdownNow();
    directory.close();
  }

  private Registration.Builder builder() {
    return Registration.of("node-1")
        .scheduler(scheduler)
        .listener(told::add)
        .time(scheduler::nowNs, () -> Instant.ofEpochSecond(0, scheduler.nowNs()), random);
  }

  private Registration start(ServiceInstance... instances) {
    Registration started = builder().with(instances).start(channel);
    scheduler.runDue();
    return started;
  }

  private void advance(long ms) {
    scheduler.advance(Duration.ofMillis(ms));
  }

  private RegistrationStatus last() {
    return told.get(told.size() - 1);
  }

  // --- registered ---

  @Test
  void start_directoryThere_sendsNodeTtlAndAllInstances() throws IOException {
    directory.start();
    ServiceInstance full =
        TWO.withWeight(3)
            .withPriority(1)
            .withLabel("zone", "eu-1a")
            .withHealth(ServiceInstance.Health.DRAINING)
            .withLoad(new InstanceLoad(0.5, 100, 50, 0.25, 7.5, 0.5));
    Registration registration = start(ONE, full);
    RegisterRequest first = directory.call().requests.get(0);
    assertThat(first.getNode()).isEqualTo("node-1");
    assertThat(first.getTtlMs()).isEqualTo(10_000);
    assertThat(first.getPutList())
        .extracting(Instance::getAddress)
        .containsExactly("10.0.0.1:4770", "10.0.0.2:4770");
    Instance two = first.getPut(1);
    assertThat(two.getService()).isEqualTo("echo");
    assertThat(two.getWeight()).isEqualTo(3);
    assertThat(two.getPriority()).isEqualTo(1);
    assertThat(two.getLabelsMap()).containsExactlyEntriesOf(Map.of("zone", "eu-1a"));
    assertThat(two.getHealth()).isEqualTo(Instance.Health.DRAINING);
    assertThat(two.getLoad().getCapacity()).isEqualTo(100);
    assertThat(first.getPut(0).hasLoad()).isFalse();
    assertThat(registration.status().isRegistered()).isTrue();
    assertThat(told).containsExactly(registration.status());
    assertThat(last().directory()).isEqualTo(channel.authority());
    assertThat(last().since()).isEqualTo(Instant.ofEpochSecond(0, scheduler.nowNs()));
  }

  @Test
  void heartbeats_comeInAThirdOfTheGrantedTtlAndAreAnswered() throws IOException {
    directory.start();
    start(ONE);
    advance(60_000);
    // A third of 9 s, less up to a tenth.
    assertThat(directory.call().requests).hasSizeBetween(21, 24);
    assertThat(directory.call().last().getPutList()).hasSize(1);
    assertThat(directory.calls).hasSize(1);
    assertThat(told).hasSize(1);
  }

  @Test
  void heartbeats_withoutInstances_areEmptyAndKeepTheCall() throws IOException {
    directory.start();
    start();
    advance(60_000);
    assertThat(directory.call().requests).hasSizeBetween(21, 24);
    assertThat(directory.call().last()).isEqualTo(RegisterRequest.getDefaultInstance());
    assertThat(directory.calls).hasSize(1);
  }

  @Test
  void ttl_absurdlyShort_isTakenForOneSecond() throws IOException {
    directory.ttlMs = 0;
    directory.start();
    start(ONE);
    advance(3_000);
    assertThat(directory.call().requests).hasSizeBetween(8, 12);
  }

  @Test
  void changes_whileRegistered_areSentAtOnceAndTogether() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    registration.put(TWO);
    registration.put(TWO.withWeight(7));
    registration.remove(ONE.service(), ONE.address());
    registration.remove("echo", "10.0.0.9:4770");
    scheduler.runDue();
    RegisterRequest change = directory.call().last();
    assertThat(directory.call().requests).hasSize(2);
    assertThat(change.getPutList()).hasSize(1);
    assertThat(change.getPut(0).getWeight()).isEqualTo(7);
    assertThat(change.getRemoveList()).hasSize(1);
    assertThat(change.getNode()).isEmpty();
  }

  @Test
  void put_ofWhatIsRegistered_sendsNothing() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    registration.put(ONE);
    scheduler.runDue();
    assertThat(directory.call().requests).hasSize(1);
  }

  @Test
  void removedAndPutAgainBeforeItIsSent_isOnlyPut() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    registration.remove(ONE.service(), ONE.address());
    registration.put(ONE.withWeight(2));
    scheduler.runDue();
    assertThat(directory.call().last().getRemoveList()).isEmpty();
    assertThat(directory.call().registered)
        .extractingByKey("10.0.0.1:4770")
        .matches(one -> one.getWeight() == 2);
  }

  @Test
  void refusal_ofOneInstance_isToldAndTheOthersStay() throws IOException {
    directory.refusals.put("10.0.0.2:4770", "too many");
    directory.start();
    start(ONE, TWO);
    assertThat(last().isRegistered()).isTrue();
    assertThat(last().refused()).containsExactlyEntriesOf(Map.of(TWO.key(), "too many"));
    assertThat(directory.call().registered).containsOnlyKeys("10.0.0.1:4770");
    directory.refusals.clear();
    advance(3_000);
    assertThat(directory.call().registered).hasSize(2);
    assertThat(last().refused()).isEmpty();
  }

  @Test
  void refusal_ofAnInstanceThatIsRemoved_isForgotten() throws IOException {
    directory.refusals.put("10.0.0.1:4770", "no");
    directory.start();
    Registration registration = start(ONE);
    registration.remove(ONE.service(), ONE.address());
    scheduler.runDue();
    assertThat(last().refused()).isEmpty();
  }

  // --- the directory is away ---

  @Test
  void start_directoryAway_retriesForEverAndRegistersOnceItIsThere() throws IOException {
    Registration registration = start(ONE);
    assertThat(registration.status().isRegistered()).isFalse();
    assertThat(registration.status().problem()).startsWith("UNAVAILABLE: ");
    advance(3_600_000);
    directory.start();
    advance(RetryDelays.MAX_NS / 1_000_000);
    assertThat(registration.status().isRegistered()).isTrue();
    assertThat(registration.status().problem()).isEmpty();
    assertThat(directory.call().registered).containsOnlyKeys("10.0.0.1:4770");
  }

  @Test
  void directory_thatNeverAnswers_isGivenUpAfterTheTimeout() throws IOException {
    directory.isAnswering = false;
    directory.start();
    Registration registration = start(ONE);
    advance(4_999);
    assertThat(directory.call().isOver()).isFalse();
    advance(1);
    assertThat(directory.call().isCancelled).isTrue();
    assertThat(registration.status().problem()).isEqualTo("no answer within 5 s");
    directory.isAnswering = true;
    advance(1_000);
    assertThat(registration.status().isRegistered()).isTrue();
    assertThat(directory.calls).hasSize(2);
  }

  @Test
  void directory_thatStopsAnswering_isNoticedWithinTheTtl() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    advance(30_000);
    directory.isAnswering = false;
    advance(directory.ttlMs);
    assertThat(directory.calls.get(0).isCancelled).isTrue();
    assertThat(registration.status().isRegistered()).isFalse();
    assertThat(registration.status().problem()).isEqualTo("no answer within 3 s");
  }

  @Test
  void call_brokenOff_isOpenedAgainWithAllInstances() throws IOException {
    directory.start();
    Registration registration = start(ONE, TWO);
    advance(20_000);
    directory.call().breakOff(Status.UNAVAILABLE.withDescription("going down"));
    scheduler.runDue();
    assertThat(registration.status().isRegistered()).isFalse();
    assertThat(registration.status().problem()).isEqualTo("UNAVAILABLE: going down");
    advance(200);
    assertThat(registration.status().isRegistered()).isTrue();
    assertThat(directory.calls).hasSize(2);
    assertThat(directory.call().requests.get(0).getPutList()).hasSize(2);
    assertThat(directory.call().requests.get(0).getNode()).isEqualTo("node-1");
    assertThat(told)
        .extracting(RegistrationStatus::isRegistered)
        .containsExactly(true, false, true);
  }

  @Test
  void changes_whileAway_areToldByTheirResult() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    directory.stop();
    advance(10);
    assertThat(registration.status().isRegistered()).isFalse();
    for (int weight = 2; weight <= 100; weight++) {
      registration.put(TWO.withWeight(weight));
      registration.put(ONE.withWeight(weight));
      advance(10);
    }
    registration.remove(ONE.service(), ONE.address());
    directory.start();
    advance(10_000);
    RegisterRequest first = directory.call().requests.get(0);
    assertThat(first.getPutList()).hasSize(1);
    assertThat(first.getPut(0).getWeight()).isEqualTo(100);
    assertThat(first.getRemoveList()).isEmpty();
  }

  @Test
  void backOff_onceItHadWorked_staysBelowAQuarterOfTheTtl() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    directory.stop();
    advance(600_000);
    directory.start();
    advance(directory.ttlMs / 4);
    assertThat(registration.status().isRegistered()).isTrue();
  }

  @Test
  void channel_thatConnectsByItself_isUsedAtOnce() throws IOException {
    Registration registration = start(ONE);
    advance(60_000);
    directory.start();
    channel.resetConnectBackoff();
    scheduler.runDue();
    assertThat(registration.status().isRegistered()).isTrue();
  }

  @Test
  void directory_thatRefusesEveryCall_isNotAskedMoreOftenBecauseItIsReachable() throws IOException {
    directory.start();
    start(ONE);
    for (int ms = 0; ms < 60_000; ms += 10) {
      if (!directory.call().isOver()) {
        directory.call().isCancelled = true;
        directory.call().breakOff(Status.PERMISSION_DENIED);
      }
      advance(10);
    }
    assertThat(directory.calls).hasSizeBetween(15, 60);
  }

  @Test
  void backOff_ofACallThatEndsSoonAfterEachAnswer_grows() throws IOException {
    directory.ttlMs = 40_000;
    directory.start();
    start(ONE);
    for (int ms = 0; ms < 60_000; ms++) {
      if (!directory.call().isOver()) {
        directory.call().isCancelled = true;
        directory.call().breakOff(Status.INTERNAL);
      }
      advance(1);
    }
    // With a mean of about 5 s in the end.
    assertThat(directory.calls).hasSizeBetween(8, 30);
  }

  // --- the process is frozen ---

  @Test
  void process_frozenForLongerThanTheTtl_registersAgainAtOnce() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    advance(20_000);
    scheduler.freeze(Duration.ofSeconds(60));
    scheduler.runDue();
    assertThat(directory.calls).hasSize(2);
    assertThat(directory.calls.get(0).isCancelled).isTrue();
    assertThat(registration.status().isRegistered()).isTrue();
    assertThat(told.get(told.size() - 1).since())
        .isEqualTo(Instant.ofEpochSecond(0, scheduler.nowNs()));
  }

  @Test
  void process_frozenAndItsCallEndedMeanwhile_registersAgainWithinAHeartbeat() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    advance(20_000);
    scheduler.freeze(Duration.ofSeconds(60));
    directory.call().breakOff(Status.DEADLINE_EXCEEDED.withDescription("no heartbeat"));
    scheduler.runDue();
    advance(directory.ttlMs / 3);
    assertThat(registration.status().isRegistered()).isTrue();
    assertThat(directory.calls).hasSize(2);
  }

  @Test
  void process_frozenForLessThanTheTtl_sendsItsHeartbeatAndGoesOn() throws IOException {
    directory.start();
    start(ONE);
    advance(20_000);
    int before = directory.call().requests.size();
    scheduler.freeze(Duration.ofSeconds(5));
    scheduler.runDue();
    assertThat(directory.calls).hasSize(1);
    assertThat(directory.call().requests).hasSize(before + 1);
  }

  // --- the end ---

  @Test
  void leave_whileRegistered_halfClosesAndWaitsForTheAnswer() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    CompletableFuture<Void> left = registration.leave();
    assertThat(left).isNotDone();
    scheduler.runDue();
    assertThat(left).isCompleted();
    assertThat(directory.call().isHalfClosed).isTrue();
    assertThat(directory.call().isCancelled).isFalse();
    assertThat(last().isRegistered()).isFalse();
    advance(60_000);
    assertThat(directory.calls).hasSize(1);
  }

  @Test
  void leave_unanswered_endsAfterASecond() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    directory.isAnswering = false;
    CompletableFuture<Void> left = registration.leave();
    advance(999);
    assertThat(left).isNotDone();
    assertThat(directory.call().isHalfClosed).isTrue();
    advance(1);
    assertThat(left).isCompleted();
  }

  @Test
  void leave_beforeTheFirstAnswer_halfCloses() throws IOException {
    directory.isAnswering = false;
    directory.start();
    Registration registration = start(ONE);
    registration.leave();
    scheduler.runDue();
    assertThat(directory.call().isHalfClosed).isTrue();
  }

  @Test
  void leave_whileAway_endsAtOnce() {
    Registration registration = start(ONE);
    CompletableFuture<Void> left = registration.leave();
    scheduler.runDue();
    assertThat(left).isCompleted();
    registration.put(TWO);
    advance(60_000);
    assertThat(directory.calls).isEmpty();
  }

  @Test
  void leave_together_withAChange_sendsOnlyTheEnd() throws IOException {
    directory.start();
    Registration registration = start(ONE);
    registration.put(TWO);
    registration.leave();
    scheduler.runDue();
    assertThat(directory.call().isHalfClosed).isTrue();
    assertThat(directory.call().requests).hasSize(1);
  }

  @Test
  void close_byTheListener_doesNotWait() throws IOException {
    directory.start();
    Registration[] registration = new Registration[1];
    registration[0] =
        builder()
            .listener(status -> {
              if (status.isRegistered()) {
                registration[0].close();
              }
            })
            .with(ONE)
            .start(channel);
    scheduler.runDue();
    assertThat(directory.call().isHalfClosed).isTrue();
  }

  @Test
  void close_onAThreadOfItsOwn_returnsOnceDeregistered() throws IOException {
    directory.start();
    CompletableFuture<Void> registered = new CompletableFuture<>();
    Registration registration =
        Registration.of("node-1")
            .with(ONE)
            .listener(status -> registered.complete(null))
            .start(channel);
    assertThat(registered).succeedsWithin(Duration.ofSeconds(5));
    registration.close();
    assertThat(directory.call().isHalfClosed).isTrue();
    assertThat(registration.leave()).isCompleted();
  }

  // --- diallers ---

  /** Dials as often as it is asked, and completes when the test says so. */
  private final class ManualDialler implements DirectoryDialler {
    private final List<CompletableFuture<DirectoryLink>> dials = new ArrayList<>();
    private int closed;

    @Override
    public String name() {
      return "manual";
    }

    @Override
    public CompletionStage<DirectoryLink> dial() {
      dials.add(new CompletableFuture<>());
      return dials.get(dials.size() - 1);
    }

    void complete() {
      dials
          .get(dials.size() - 1)
          .complete(
              new DirectoryLink() {
                @Override
                public ManagedChannel channel() {
                  return channel;
                }

                @Override
                public void close() {
                  closed++;
                }
              });
      scheduler.runDue();
    }
  }

  @Test
  void dial_thatFails_isRetriedWithItsReason() {
    ManualDialler dialler = new ManualDialler();
    Registration registration = builder().with(ONE).start(dialler);
    scheduler.runDue();
    dialler.dials.get(0).completeExceptionally(new IOException("no such host"));
    advance(200);
    assertThat(registration.status().problem()).isEqualTo("no such host");
    assertThat(dialler.dials).hasSize(2);
  }

  @Test
  void dial_thatThrows_isRetriedWithItsReason() {
    DirectoryDialler broken =
        new DirectoryDialler() {
          @Override
          public String name() {
            return "broken";
          }

          @Override
          public CompletionStage<DirectoryLink> dial() {
            throw new IllegalArgumentException("no token");
          }
        };
    Registration registration = builder().with(ONE).start(broken);
    scheduler.runDue();
    assertThat(registration.status().problem()).isEqualTo("no token");
  }

  @Test
  void dial_thatComesToNothing_isGivenUpAndItsLateLinkClosed() throws IOException {
    directory.start();
    ManualDialler dialler = new ManualDialler();
    Registration registration = builder().with(ONE).start(dialler);
    scheduler.runDue();
    advance(5_000);
    assertThat(registration.status().problem()).isEqualTo("no way to the directory within 5 s");
    dialler.complete();
    assertThat(dialler.closed).isEqualTo(1);
    assertThat(directory.calls).isEmpty();
  }

  @Test
  void link_isClosedAfterItsCall_alsoAtTheEnd() throws IOException {
    directory.start();
    ManualDialler dialler = new ManualDialler();
    Registration registration = builder().with(ONE).start(dialler);
    scheduler.runDue();
    dialler.complete();
    directory.call().breakOff(Status.ABORTED);
    advance(200);
    assertThat(dialler.closed).isEqualTo(1);
    dialler.complete();
    registration.leave();
    scheduler.runDue();
    assertThat(dialler.closed).isEqualTo(2);
    registration.leave();
    scheduler.runDue();
    assertThat(dialler.closed).isEqualTo(2);
  }

  @Test
  void link_thatComesAfterTheEnd_isClosed() {
    ManualDialler dialler = new ManualDialler();
    Registration registration = builder().with(ONE).start(dialler);
    scheduler.runDue();
    registration.leave();
    scheduler.runDue();
    dialler.complete();
    assertThat(dialler.closed).isEqualTo(1);
  }

  // --- misuse ---

  @Test
  void listener_thatThrows_disturbsNothing() throws IOException {
    directory.start();
    Registration registration =
        builder()
            .listener(status -> {
              throw new IllegalStateException("a bug");
            })
            .with(ONE)
            .start(channel);
    advance(20_000);
    assertThat(registration.status().isRegistered()).isTrue();
    assertThat(directory.calls).hasSize(1);
  }

  @Test
  void put_ofTooMany_isRefused() {
    Registration registration = start();
    IntStream.range(0, Registration.INSTANCES_MAX)
        .forEach(i -> registration.put(ServiceInstance.of("echo", "10.0.0.1:" + (1 + i))));
    registration.put(ServiceInstance.of("echo", "10.0.0.1:1").withWeight(2));
    assertThatThrownBy(() -> registration.put(ONE))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a registration has at most 1000 instances");
    registration.remove("echo", "10.0.0.1:1");
    registration.put(ONE);
  }

  @Test
  void builder_withBadValues_saysWhatIsWrong() {
    assertThatThrownBy(() -> Registration.of("a\nb"))
        .hasMessage("node: 1 to 253 printable characters");
    assertThatThrownBy(() -> builder().ttl(Duration.ofMillis(999)))
        .hasMessage("ttl: PT0.999S (expected: 1 s to 1 h)");
  }

  // --- several directories ---

  @Test
  void severalDirectories_areRegisteredWithIndependently() throws IOException {
    directory.start();
    String otherName = UUID.randomUUID().toString();
    ManagedChannel other = InProcessChannelBuilder.forName(otherName).directExecutor().build();
    try (ScriptedRegistry second = new ScriptedRegistry(otherName)) {
      Registration.Builder node = builder();
      Registrations all = Registrations.of(node.start(channel), node.start(other));
      all.put(ONE);
      all.put(TWO);
      all.remove(ONE.service(), ONE.address());
      scheduler.runDue();
      assertThat(all.statuses())
          .extracting(RegistrationStatus::isRegistered)
          .containsExactly(true, false);
      assertThat(directory.call().registered).containsOnlyKeys("10.0.0.2:4770");
      second.start();
      advance(20_000);
      assertThat(second.call().registered).containsOnlyKeys("10.0.0.2:4770");
      CompletableFuture<Void> left = all.leave();
      scheduler.runDue();
      assertThat(left).isCompleted();
      assertThat(directory.call().isHalfClosed).isTrue();
      assertThat(second.call().isHalfClosed).isTrue();
    } finally {
      other.shutdownNow();
    }
  }
}
