package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.protocol.Framing;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ConfigLoaderTest {
  private static final String FILE =
      """
      listeners:
        - name: devices
          address: 0.0.0.0:7001
          pool: backends
          framing: {type: delimiter, delimiter: "\\r\\n"}
          idle-timeout: off
      pools:
        - name: backends
          upstreams:
            - address: "[::1]:4770"
              weight: 3
              labels: {topology.kubernetes.io/zone: a}
            - address: backend:4770
      admin:
        address: 127.0.0.1:7081
      """;

  @Test
  void noConfiguration_isOneListenerAndTheEmbeddedUpstream() {
    LoadedConfig loaded = Loading.flags(Map.of(), Map.of());
    assertThat(loaded.isEmbeddedUpstream()).isTrue();
    assertThat(loaded.config().listeners())
        .singleElement()
        .extracting(ListenerConfig::address)
        .isEqualTo(new InetSocketAddress("127.0.0.1", 7000));
    assertThat(loaded.config().pools())
        .singleElement()
        .extracting(PoolConfig::target)
        .isEqualTo(new Target.Fixed(List.of(new Endpoint("127.0.0.1:4770", 1, Map.of()))));
    assertThat(loaded.config().admin().address())
        .isEqualTo(new InetSocketAddress("127.0.0.1", 7080));
  }

  @Test
  void file_isRead() {
    LoadedConfig loaded = Loading.file(FILE);
    assertThat(loaded.isEmbeddedUpstream()).isFalse();
    ListenerConfig listener = loaded.config().listeners().getFirst();
    assertThat(listener.get(ListenerKeys.IDLE_TIMEOUT)).isEqualTo(Duration.ZERO);
    assertThat(((Framing.Delimiter) listener.framing()).delimiter()).isEqualTo(new byte[] {13, 10});
    assertThat(loaded.config().pools().getFirst().target())
        .isEqualTo(
            new Target.Fixed(
                List.of(
                    new Endpoint("[::1]:4770", 3, Map.of("topology.kubernetes.io/zone", "a")),
                    new Endpoint("backend:4770", 1, Map.of()))));
  }

  @Test
  void movingOptions_ofPool_areRead() {
    assertThat(Loading.flags(Map.of(), Map.of()).config().pools().getFirst().options().moving())
        .isEqualTo(Moving.DEFAULTS);
    String file =
        """
        pools:
          - target: unix:/a
            on-upstream-loss: reopen
            progress-timeout: off
            release-timeout: 1s
            drain-timeout: off
            moves-per-second: 7
            rebalance: off
            follow: leader
        """;
    assertThat(Loading.file(file).config().pools().getFirst().options().moving())
        .isEqualTo(
            Moving.builder()
                .progressTimeoutNs(0)
                .releaseTimeoutNs(1_000_000_000L)
                .drainTimeoutNs(0)
                .movesPerSecond(7)
                .isRebalancing(false)
                .isFollowingLeader(true)
                .isResumingAtMostOnce(true)
                .build());
  }

  @Test
  void subsetsAndEjection_ofPool_areRead() {
    String file =
        """
        pools:
          - upstreams:
              - {address: "a:1", labels: {version: next, zone: a}}
              - {address: "b:1"}
            subsets:
              - {share-percent: 5, labels: {version: next}}
            ejection: off
            ejection-signals: 2
            ejection-window: 1s
            ejection-time: 2s
            ejection-time-max: 3s
            ejected-max-percent: 10
            slow-start: 1m
        """;
    LoadedConfig loaded = Loading.file(file);
    PoolConfig pool = loaded.config().pools().getFirst();
    assertThat(pool.subsets()).containsExactly(new Subset(Map.of("version", "next"), 5));
    assertThat(pool.get(OutlierKeys.EJECTION)).isFalse();
    assertThat(pool.get(OutlierKeys.SIGNALS)).isEqualTo(2);
    assertThat(pool.get(OutlierKeys.WINDOW)).isEqualTo(Duration.ofSeconds(1));
    assertThat(pool.get(OutlierKeys.TIME)).isEqualTo(Duration.ofSeconds(2));
    assertThat(pool.get(OutlierKeys.TIME_MAX)).isEqualTo(Duration.ofSeconds(3));
    assertThat(pool.get(OutlierKeys.PERCENT_MAX)).isEqualTo(10);
    assertThat(pool.get(BalancingKeys.SLOW_START)).isEqualTo(Duration.ofMinutes(1));
    assertThat(Loading.file(loaded.yaml()).config())
        .usingRecursiveComparison()
        .isEqualTo(loaded.config());
  }

  @Test
  void value_inSeveralSources_isTakenByPrecedence() {
    Map<String, String> flags = Map.of("--admin", "127.0.0.1:1");
    Map<String, String> environment = Map.of("WAYMARK_ADMIN", "127.0.0.1:2", "WAYMARK_SHARDS", "");
    assertThat(admin(Loading.file(FILE, flags, environment))).isEqualTo("127.0.0.1:1 flag --admin");
    assertThat(admin(Loading.file(FILE, Map.of(), environment)))
        .isEqualTo("127.0.0.1:2 environment WAYMARK_ADMIN");
    assertThat(admin(Loading.file(FILE))).isEqualTo("127.0.0.1:7081 waymark.yml:15:12");
    assertThat(admin(Loading.flags(Map.of(), Map.of()))).isEqualTo("127.0.0.1:7080 default");
  }

  private static String admin(LoadedConfig loaded) {
    LoadedConfig.Entry entry =
        loaded.entries().stream()
            .filter(e -> e.key().equals("admin.address"))
            .findFirst()
            .orElseThrow();
    return entry.value() + " " + entry.origin().text();
  }

  @Test
  void listen_withSeveralAddresses_copiesTheOnlyListener() {
    LoadedConfig loaded = Loading.file(FILE, Map.of(), Map.of("WAYMARK_LISTEN", ":1, [::1]:2"));
    assertThat(loaded.config().listeners())
        .extracting(ListenerConfig::name)
        .containsExactly("devices", "devices-2");
    assertThat(loaded.config().listeners())
        .extracting(listener -> listener.get(ListenerKeys.IDLE_TIMEOUT))
        .containsOnly(Duration.ZERO);
    assertThat(loaded.config().listeners())
        .extracting(ListenerConfig::address)
        .containsExactly(new InetSocketAddress("0.0.0.0", 1), new InetSocketAddress("::1", 2));
  }

  @Test
  void framingAndUpstream_asFlags_replaceMapAndList() {
    LoadedConfig loaded =
        Loading.file(FILE, Map.of("--framing", "varint", "--upstream", "unix:///a"), Map.of());
    assertThat(loaded.config().listeners().getFirst().framing()).isEqualTo(new Framing.Varint());
    assertThat(loaded.config().pools().getFirst().target())
        .isEqualTo(new Target.Fixed(List.of(new Endpoint("unix:/a", 1, Map.of()))));
    assertThat(Loading.flags(Map.of("--upstream", "unix:/a"), Map.of()).isEmbeddedUpstream())
        .isFalse();
  }

  @Test
  void words_inAnyCase_areAccepted() {
    String file =
        """
        listeners: [{framing: {type: LENGTH-PREFIXED, byte-order: Little}, no-delay: FALSE, idle-timeout: OFF}]
        pools: [{target: "STATIC:///a:1", policy: Ring-Hash, hash-by: MARK, acknowledge: AUTO, rebalance: On, follow: Leader}]
        log: {format: Json, access: True}
        transport: EPOLL
        """;
    LoadedConfig loaded =
        Loading.file(file, Map.of("--log-level", "DEBUG"), Map.of("WAYMARK_LOG_FORMAT", "TEXT"));
    String lower = file.toLowerCase(Locale.ROOT).replace("json", "text") + "\n";
    assertThat(loaded.config())
        .isEqualTo(Loading.file(lower, Map.of("--log-level", "debug"), Map.of()).config());
  }

  @Test
  void echo_withItsOwnAddress_becomesThePoolsTarget() {
    LoadedConfig loaded = Loading.flags(Map.of("--echo", "127.0.0.1:4999"), Map.of());
    assertThat(loaded.embeddedEcho())
        .hasValue(new LoadedConfig.EmbeddedEcho(new InetSocketAddress("127.0.0.1", 4999), false));
    assertThat(loaded.config().pools().getFirst().target())
        .isEqualTo(new Target.Fixed(List.of(new Endpoint("127.0.0.1:4999", 1, Map.of()))));
    assertThat(loaded.yaml()).contains("target: static:///127.0.0.1:4999 ");
  }

  @Test
  void echo_onAnEphemeralPort_becomesTheTargetOnceBound() {
    LoadedConfig loaded = Loading.flags(Map.of("--echo", ":0"), Map.of());
    LoadedConfig found = loaded.withEchoOn(new InetSocketAddress("0.0.0.0", 5001));
    assertThat(found.config().pools().getFirst().target())
        .isEqualTo(new Target.Fixed(List.of(new Endpoint("127.0.0.1:5001", 1, Map.of()))));
    LoadedConfig others = Loading.flags(Map.of("--upstream", "unix:/a"), Map.of());
    assertThat(others.withEchoOn(new InetSocketAddress("0.0.0.0", 5001))).isEqualTo(others);
  }

  @ParameterizedTest
  @CsvSource({
    "dns:///host:1, '', host, 1",
    "dns://10.0.0.1/host:1, 10.0.0.1:53, host, 1",
    "dns://[::1]:5353/host:1, [::1]:5353, host, 1",
    "dns://[::1]/host:1, [::1]:53, host, 1"
  })
  void dnsTarget_isRead(String target, String server, String host, int port) {
    assertThat(read(target)).isEqualTo(new Target.Dns(server, host, port));
  }

  private static Target read(String target) {
    Map<String, String> flags = Map.of("--upstream", target);
    return Loading.flags(flags, Map.of()).config().pools().getFirst().target();
  }

  @ParameterizedTest
  @CsvSource({
    "srv:///_echo._tcp.example.com, '', _echo._tcp.example.com",
    "srv://10.0.0.1/_echo._tcp.example.com, 10.0.0.1:53, _echo._tcp.example.com",
    "dns:///_echo._tcp.example.com, '', _echo._tcp.example.com",
    "dns://[::1]:5353/_echo._tcp.example.com, [::1]:5353, _echo._tcp.example.com"
  })
  void srvTarget_isRead(String target, String server, String name) {
    assertThat(read(target)).isEqualTo(new Target.Srv(server, name));
  }

  @ParameterizedTest
  @CsvSource({
    "k8s:///echo.shop:4770, '', 4770",
    "k8s:///echo.shop:grpc-web, '', grpc-web",
    "k8s:///echo.shop:04770, '', 4770",
    "K8S://127.0.0.1:8001/echo.shop:grpc, 127.0.0.1:8001, grpc",
    "k8s://[::1]:8001/echo.shop:grpc, [::1]:8001, grpc"
  })
  void kubernetesTarget_isRead(String target, String server, String port) {
    assertThat(read(target)).isEqualTo(new Target.Kubernetes(server, "echo", "shop", port));
  }

  @Test
  void yaml_loadedAgain_isTheSameConfiguration() {
    LoadedConfig loaded = Loading.file(FILE, Map.of("--node", "a \"b\" é"), Map.of());
    LoadedConfig again = Loading.file(loaded.yaml());
    assertThat(again.config()).usingRecursiveComparison().isEqualTo(loaded.config());
    assertThat(again.yaml().replaceAll(" +#.*", ""))
        .isEqualTo(loaded.yaml().replaceAll(" +#.*", ""));
  }

  @Test
  void portZero_mayBeUsedTwice() {
    assertThat(
            Loading.flags(Map.of("--listen", "localhost:0,127.0.0.1:0"), Map.of())
                .config()
                .listeners())
        .hasSize(2);
  }
}
