package dev.waymark.net.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.admission.Verdict.Admitted;
import dev.waymark.net.admission.Verdict.Refused;
import dev.waymark.net.admission.Verdict.Why;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AdmissionTest {
  private static final long S = TimeUnit.SECONDS.toNanos(1);
  private static final InetAddress CLIENT = InetAddress.ofLiteral("192.0.2.7");
  private static final InetAddress OTHER = InetAddress.ofLiteral("192.0.2.8");

  private static NetworkSet set(String... networks) {
    return NetworkSet.of(Stream.of(networks).map(Network::read).toList());
  }

  private static Admission networks(NetworkSet allowed, NetworkSet denied) {
    return new Admission(
        new AdmissionLimits(allowed, denied, 0, Optional.empty(), Optional.empty(), 0), 0);
  }

  private static AdmissionLimits limits(int connections, String perSource, String rate) {
    return new AdmissionLimits(
        NetworkSet.EMPTY,
        NetworkSet.EMPTY,
        connections,
        perSource.isEmpty() ? Optional.empty() : Optional.of(Rate.read(perSource)),
        rate.isEmpty() ? Optional.empty() : Optional.of(Rate.read(rate)),
        0);
  }

  private static Source admitted(Verdict verdict) {
    assertThat(verdict).isInstanceOf(Admitted.class);
    return Objects.requireNonNull(((Admitted) verdict).source());
  }

  @ParameterizedTest
  @CsvSource({
    "192.0.2.7, ",
    "192.0.2.77, NETWORK_DENIED 192.0.2.64/26",
    "192.0.2.80, ",
    "192.0.2.81, NETWORK_DENIED 192.0.2.64/26",
    "198.51.100.1, NETWORK_NOT_ALLOWED in none of 4",
    "203.0.113.9, NETWORK_DENIED 203.0.113.0/24",
    "2001:db8::1, ",
    "2001:db9::1, NETWORK_NOT_ALLOWED in none of 4",
  })
  void narrowestNetwork_decides(String address, String refusal) {
    Admission admission =
        networks(
            set("192.0.2.0/24", "192.0.2.80", "203.0.113.0/24", "2001:db8::/32"),
            set("192.0.2.64/26", "203.0.113.0/24"));
    Verdict verdict = admission.admit(InetAddress.ofLiteral(address), 0);
    if (refusal == null) {
      assertThat(verdict).isEqualTo(Admitted.UNCOUNTED);
    } else {
      Refused refused = (Refused) verdict;
      assertThat(refused.why() + " " + refused.detail()).isEqualTo(refusal);
    }
  }

  @Test
  void deniedNetworksAlone_letAllOthersIn() {
    Admission admission = networks(NetworkSet.EMPTY, set("192.0.2.7"));
    assertThat(admission.admit(CLIENT, 0)).isEqualTo(new Refused(Why.NETWORK_DENIED, "192.0.2.7"));
    assertThat(admission.admit(OTHER, 0)).isInstanceOf(Admitted.class);
  }

  @Test
  void clientThatNobodyKnows_isSubjectToTheRateInAllOnly() {
    Admission admission =
        new Admission(
            new AdmissionLimits(
                set("10.0.0.0/8"),
                NetworkSet.EMPTY,
                1,
                Optional.of(Rate.read("1/h")),
                Optional.of(Rate.read("2/s")),
                0),
            0);
    assertThat(admission.admit(null, 0)).isEqualTo(Admitted.UNCOUNTED);
    assertThat(admission.admit(null, 0)).isEqualTo(Admitted.UNCOUNTED);
    assertThat(admission.admit(null, 0)).isEqualTo(new Refused(Why.ACCEPT_RATE, "over 2/s"));
    assertThat(admission.sourceCount()).isZero();
  }

  @Test
  void source_withAllItsConnections_isRefusedUntilOneEnds() {
    Admission admission = new Admission(limits(2, "", ""), 0);
    Source source = admitted(admission.admit(CLIENT, 0));
    assertThat(admitted(admission.admit(CLIENT, 0))).isSameAs(source);
    assertThat(admission.admit(CLIENT, 0))
        .isEqualTo(new Refused(Why.SOURCE_CONNECTIONS, "192.0.2.7 over 2"));
    assertThat(admitted(admission.admit(OTHER, 0))).isNotSameAs(source);
    admission.leave(source);
    assertThat(admitted(admission.admit(CLIENT, 0))).isSameAs(source);
  }

  @Test
  void ipv6Source_isNamedAsItsNetwork() {
    Admission admission = new Admission(limits(1, "", ""), 0);
    admitted(admission.admit(InetAddress.ofLiteral("2001:db8::1"), 0));
    assertThat(admission.admit(InetAddress.ofLiteral("2001:db8::2"), 0))
        .isEqualTo(new Refused(Why.SOURCE_CONNECTIONS, "2001:db8::/64 over 1"));
  }

  @Test
  void source_thatConnectsTooOften_isRefusedUntilItHasWaited() {
    Admission admission = new Admission(limits(0, "2/s", ""), 0);
    for (int i = 0; i < 2; i++) {
      admission.leave(admitted(admission.admit(CLIENT, 0)));
    }
    assertThat(admission.admit(CLIENT, 0))
        .isEqualTo(new Refused(Why.SOURCE_RATE, "192.0.2.7 over 2/s"));
    assertThat(admission.admit(OTHER, 0)).isInstanceOf(Admitted.class);
    assertThat(admission.admit(CLIENT, S / 2)).isInstanceOf(Admitted.class);
    assertThat(admission.admit(CLIENT, S / 2)).isInstanceOf(Refused.class);
  }

  @Test
  void sourceThatFloods_takesNothingFromTheOthers() {
    Admission admission = new Admission(limits(1, "", "3/s"), 0);
    for (int i = 0; i < 100; i++) {
      admission.admit(CLIENT, 0);
    }
    assertThat(admission.admit(OTHER, 0)).isInstanceOf(Admitted.class);
  }

  @Test
  void whoeverIsRefusedForTheRateInAll_keepsItsOwnRate_andLeavesNothingBehind() {
    Admission admission = new Admission(limits(0, "1/h", "1/s"), 0);
    assertThat(admission.admit(OTHER, 0)).isInstanceOf(Admitted.class);
    assertThat(admission.admit(CLIENT, 0)).isEqualTo(new Refused(Why.ACCEPT_RATE, "over 1/s"));
    assertThat(admission.sourceCount()).isOne();
    assertThat(admission.admit(CLIENT, S)).isInstanceOf(Admitted.class);
  }

  @Test
  void ramp_beginsWithTheStart_onlyOnce() {
    Admission admission =
        new Admission(
            new AdmissionLimits(
                NetworkSet.EMPTY,
                NetworkSet.EMPTY,
                0,
                Optional.empty(),
                Optional.of(Rate.read("10/s")),
                10 * S),
            0);
    admission.start(100 * S);
    admission.start(105 * S);
    assertThat(admission.admit(null, 100 * S)).isInstanceOf(Admitted.class);
    assertThat(admission.admit(null, 100 * S)).isEqualTo(new Refused(Why.ACCEPT_RAMP, "over 10/s"));
    for (int i = 0; i < 10; i++) {
      assertThat(admission.admit(null, 110 * S)).isInstanceOf(Admitted.class);
    }
    assertThat(admission.admit(null, 110 * S)).isEqualTo(new Refused(Why.ACCEPT_RATE, "over 10/s"));
  }

  @Test
  void newLimits_applyToWhatWasCountedBefore() {
    Admission admission = new Admission(limits(10, "", ""), 0);
    Source source = admitted(admission.admit(CLIENT, 0));
    admitted(admission.admit(CLIENT, 0));
    admission.limits(limits(1, "", ""));
    assertThat(admission.admit(CLIENT, 0)).isInstanceOf(Refused.class);
    admission.leave(source);
    assertThat(admission.admit(CLIENT, 0)).isInstanceOf(Refused.class);
    admission.limits(AdmissionLimits.NONE);
    assertThat(admission.admit(CLIENT, 0)).isEqualTo(Admitted.UNCOUNTED);
  }

  @Test
  void higherRate_isNotHeldBackByDebtsOfALowerOne() {
    long s = TimeUnit.SECONDS.toNanos(1);
    for (boolean isPerSource : new boolean[] {false, true}) {
      Admission admission =
          new Admission(isPerSource ? limits(0, "10/h", "") : limits(0, "", "10/h"), 0);
      for (int i = 0; i < 10; i++) {
        assertThat(admission.admit(CLIENT, 0)).isInstanceOf(Admitted.class);
      }
      assertThat(admission.admit(CLIENT, s)).isInstanceOf(Refused.class);
      admission.limits(isPerSource ? limits(0, "100/s", "") : limits(0, "", "100/s"));
      assertThat(admission.admit(CLIENT, s)).as("empty").isInstanceOf(Refused.class);
      assertThat(admission.admit(CLIENT, s + s / 50)).isInstanceOf(Admitted.class);
    }
  }

  @Test
  void floodOfSources_isForgottenByAge_andCounted() {
    Admission admission = new Admission(limits(1, "", ""), 100, 0);
    for (int i = 0; i < 1_000; i++) {
      admitted(admission.admit(InetAddress.ofLiteral("2001:db8:0:" + i + "::1"), 0));
    }
    assertThat(admission.sourceCount()).isEqualTo(100);
    assertThat(admission.forgottenCount()).isEqualTo(900);
  }

  @Test
  void threads_countTogether() throws InterruptedException {
    Admission admission = new Admission(limits(1_000_000, "", ""), 0);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < 20_000; n++) {
                  admission.leave(admitted(admission.admit(CLIENT, 0)));
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(admitted(admission.admit(CLIENT, 0)).connections()).isOne();
  }
}
