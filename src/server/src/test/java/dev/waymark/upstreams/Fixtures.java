package dev.waymark.upstreams;

import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Ejection;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.HashBy;
import dev.waymark.config.PoolConfig.Policy;
import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.engine.base.PoolOptions.Moving;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Pools for tests: short waits, the rest as the defaults are. */
final class Fixtures {
  Target target = fixed();
  Policy policy = Policy.ROUND_ROBIN;
  HashBy hashBy = HashBy.CLIENT_ADDRESS;
  String healthService = "";
  Duration healthRetryMin = Duration.ofMillis(20);
  Duration healthRetryMax = Duration.ofMillis(200);
  Duration dnsTtlMin = Duration.ofMillis(50);
  Duration userTimeout = Duration.ofSeconds(20);
  Ejection ejection =
      new Ejection(
          true, 5, Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofMinutes(5), 50);
  Duration slowStart = Duration.ZERO;
  List<Subset> subsets = List.of();
  Moving moving = Moving.DEFAULTS;
  Duration dnsTtlMax = Duration.ofMillis(200);

  static PoolConfig pool(Consumer<Fixtures> options) {
    Fixtures f = new Fixtures();
    options.accept(f);
    return new PoolConfig(
        "backends",
        f.target,
        f.policy,
        f.hashBy,
        Acknowledge.AUTO,
        f.healthService,
        f.healthRetryMin,
        f.healthRetryMax,
        f.dnsTtlMin,
        f.dnsTtlMax,
        true,
        Duration.ofSeconds(5),
        65_536,
        f.userTimeout,
        f.moving,
        f.ejection,
        f.slowStart,
        f.subsets);
  }

  static Target fixed(String... addresses) {
    return new Target.Fixed(
        Stream.of(addresses).map(address -> new Endpoint(address, 1, Map.of())).toList());
  }

  static Target fixed(List<Endpoint> endpoints) {
    return new Target.Fixed(endpoints);
  }
}
