package dev.waymark.upstreams;

import dev.waymark.config.BalancingKeys;
import dev.waymark.config.BalancingKeys.Follow;
import dev.waymark.config.BalancingKeys.HashBy;
import dev.waymark.config.BalancingKeys.Policy;
import dev.waymark.config.DiscoveryKeys;
import dev.waymark.config.HealthKeys;
import dev.waymark.config.OutlierKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.config.PoolConfig.Target;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Pool configurations for tests: short waits, otherwise defaults. */
final class Fixtures {
  Target target = fixed();
  Policy policy = Policy.ROUND_ROBIN;
  HashBy hashBy = HashBy.CLIENT_ADDRESS;
  String healthService = "";
  Duration healthRetryMin = Duration.ofMillis(20);
  Duration healthRetryMax = Duration.ofMillis(200);
  Duration dnsTtlMin = Duration.ofMillis(50);
  Duration userTimeout = Duration.ofSeconds(20);
  Duration ejectionTime = Duration.ofSeconds(30);
  Duration ejectionTimeMax = Duration.ofMinutes(5);
  Duration slowStart = Duration.ZERO;
  List<Subset> subsets = List.of();
  Follow follow = Follow.NONE;
  Duration dnsTtlMax = Duration.ofMillis(200);

  static PoolConfig pool(Consumer<Fixtures> options) {
    Fixtures f = new Fixtures();
    options.accept(f);
    return PoolConfig.of("backends", f.target)
        .with(BalancingKeys.POLICY, f.policy)
        .with(BalancingKeys.HASH_BY, f.hashBy)
        .with(BalancingKeys.SLOW_START, f.slowStart)
        .with(BalancingKeys.FOLLOW, f.follow)
        .with(HealthKeys.SERVICE, f.healthService)
        .with(HealthKeys.RETRY_MIN, f.healthRetryMin)
        .with(HealthKeys.RETRY_MAX, f.healthRetryMax)
        .with(DiscoveryKeys.DNS_TTL_MIN, f.dnsTtlMin)
        .with(DiscoveryKeys.DNS_TTL_MAX, f.dnsTtlMax)
        .with(HealthKeys.USER_TIMEOUT, f.userTimeout)
        .with(OutlierKeys.TIME, f.ejectionTime)
        .with(OutlierKeys.TIME_MAX, f.ejectionTimeMax)
        .withSubsets(f.subsets);
  }

  static Target fixed(String... addresses) {
    return new Target.Fixed(
        Stream.of(addresses).map(address -> new Endpoint(address, 1, Map.of())).toList());
  }

  static Target fixed(List<Endpoint> endpoints) {
    return new Target.Fixed(endpoints);
  }
}
