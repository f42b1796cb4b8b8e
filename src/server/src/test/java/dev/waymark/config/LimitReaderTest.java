package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.net.admission.Admission;
import dev.waymark.net.admission.AdmissionLimits;
import dev.waymark.net.admission.Rate;
import dev.waymark.net.admission.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LimitReaderTest {
  @TempDir private Path folder;

  @SuppressWarnings("NullAway.Init")
  private Path networks;

  @BeforeEach
  void name() {
    networks = folder.resolve("denied.txt");
  }

  private LoadedConfig load(String contents) throws IOException {
    Files.writeString(networks, contents);
    return Loading.file(
        "listeners: [{name: a, networks-denied: 10.0.0.0/8, networks-denied-file: "
            + networks
            + "}]",
        Map.of(),
        Map.of());
  }

  private static AdmissionLimits limits(LoadedConfig config) {
    return config.config().listeners().getFirst().admission();
  }

  private static boolean isAdmitted(AdmissionLimits limits, String address) {
    Verdict verdict = new Admission(limits, 0).admit(InetAddress.ofLiteral(address), 0);
    return verdict instanceof Verdict.Admitted;
  }

  @Test
  void file_withCommentsAndEmptyLines_addsToWhatTheKeyNames() throws IOException {
    AdmissionLimits limits =
        limits(load("\uFEFF# list\n\n 192.0.2.0/24\t# office\r\n2001:db8::/32\n#10.0.0.0/8"));
    assertThat(limits.denied().size()).isEqualTo(3);
    assertThat(isAdmitted(limits, "192.0.2.7")).isFalse();
    assertThat(isAdmitted(limits, "2001:db8::1")).isFalse();
    assertThat(isAdmitted(limits, "10.1.2.3")).isFalse();
    assertThat(isAdmitted(limits, "11.1.2.3")).isTrue();
  }

  @Test
  void mistakes_nameTheFileAndTheLine() {
    assertThatThrownBy(() -> load("192.0.2.0/24\n10.0.0.1/8\n# \nexample.org # no"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            networks
                + ":2: 10.0.0.1/8 (expected: no bits beyond the prefix in 10.0.0.1/8)\n"
                + networks
                + ":4: example.org (expected: a network such as 10.0.0.0/8, 192.0.2.7 or fd00::/8)");
  }

  private static String lines(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "2001:db8:" + Integer.toHexString(i >> 8) + ":" + (i & 0xff) + "::/64 # x\n")
        .collect(Collectors.joining());
  }

  @Test
  void hundredThousandNetworks_areRead_andNoMore() throws IOException {
    assertThat(limits(load(lines(100_000))).denied().size()).isEqualTo(100_001);
    assertThatThrownBy(() -> load(lines(100_001)))
        .hasMessage(networks + ":100001: more than 100,000 networks; merge neighbours");
  }

  @Test
  void binaryFile_isRefusedWithBoundedOutput() {
    assertThatThrownBy(() -> load("\u0000\u0001\n".repeat(1_000)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(networks + ":1: \\u0000\\u0001 (expected: a network")
        .hasMessageEndingWith("and 950 more");
  }

  @Test
  void otherContents_areAChange_andTheSameAreNone() throws IOException {
    LoadedConfig before = load("192.0.2.0/24\n");
    assertThat(ConfigChanges.between(before, load("192.0.2.0/24 # same\n")).isEmpty()).isTrue();
    ConfigChanges changes = ConfigChanges.between(before, load("192.0.2.0/25\n"));
    assertThat(changes.lines()).containsExactly("listener a changed: networks-denied-file");
    assertThat(changes.listeners().addedOrChanged()).isEqualTo(Set.of("a"));
  }

  @Test
  void keys_becomeLimits() {
    LoadedConfig config =
        Loading.file(
            "listeners: [{connections-per-source: 5, accept-rate-per-source: 20/m, accept-rate: 100/s, accept-ramp: 30s, first-byte-timeout: 7s}]",
            Map.of(),
            Map.of());
    AdmissionLimits limits = limits(config);
    assertThat(limits.connectionsPerSource()).isEqualTo(5);
    assertThat(limits.ratePerSource()).isEqualTo(Optional.of(Rate.read("20/m")));
    assertThat(limits.rate()).isEqualTo(Optional.of(Rate.read("100/s")));
    assertThat(limits.rampNs()).isEqualTo(Duration.ofSeconds(30).toNanos());
    assertThat(config.config().listeners().getFirst().options().firstByteTimeoutNs())
        .isEqualTo(Duration.ofSeconds(7).toNanos());
  }

  @Test
  void withoutKeys_nobodyIsRefused() {
    AdmissionLimits limits = limits(Loading.file("shards: 1", Map.of(), Map.of()));
    assertThat(limits.connectionsPerSource()).isZero();
    assertThat(List.of(limits.rate(), limits.ratePerSource())).containsOnly(Optional.empty());
    assertThat(isAdmitted(limits, "192.0.2.7")).isTrue();
  }
}
