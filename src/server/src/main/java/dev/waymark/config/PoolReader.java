package dev.waymark.config;

import dev.waymark.config.PoolConfig.Ejection;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.PoolKeys.Follow;
import dev.waymark.config.PoolKeys.NoUpstream;
import dev.waymark.config.PoolKeys.OnUpstreamLoss;
import dev.waymark.config.Settings.Range;
import dev.waymark.config.Values.Elements;
import dev.waymark.engine.base.PoolOptions.Moving;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes pools of settings. Confined to one load. */
final class PoolReader {
  private final Settings settings;
  private final LabelReader labels;

  PoolReader(Settings settings) {
    this.settings = settings;
    this.labels = new LabelReader(settings);
  }

  List<PoolConfig> read(int count) {
    List<PoolConfig> pools = new ArrayList<>();
    UniqueNames names = new UniqueNames(settings);
    for (int i = 0; i < count; i++) {
      pools.add(pool(i, names));
    }
    return pools;
  }

  private PoolConfig pool(int i, UniqueNames names) {
    String name = names.add(settings.get(PoolKeys.NAME, i));
    Target target = target(i);
    var policy = settings.value(PoolKeys.POLICY, i);
    var hashBy = settings.value(PoolKeys.HASH_BY, i);
    var acknowledge = settings.value(PoolKeys.ACKNOWLEDGE, i);
    String healthService = settings.value(PoolKeys.HEALTH_SERVICE, i);
    Range<Duration> retry = settings.range(PoolKeys.HEALTH_RETRY_MIN, PoolKeys.HEALTH_RETRY_MAX, i);
    Range<Duration> ttl = settings.range(PoolKeys.DNS_TTL_MIN, PoolKeys.DNS_TTL_MAX, i);
    return new PoolConfig(
        name,
        target,
        policy,
        hashBy,
        acknowledge,
        healthService,
        retry.min(),
        retry.max(),
        ttl.min(),
        ttl.max(),
        settings.value(PoolKeys.NO_UPSTREAM, i) == NoUpstream.WAIT,
        settings.value(PoolKeys.NO_UPSTREAM_WAIT, i),
        settings.value(PoolKeys.NO_UPSTREAM_BYTES, i),
        settings.value(PoolKeys.USER_TIMEOUT, i),
        moving(i),
        ejection(i),
        settings.value(PoolKeys.SLOW_START, i),
        new SubsetReader(settings, labels).read(i, target));
  }

  private Moving moving(int i) {
    boolean isReopening = settings.value(PoolKeys.ON_UPSTREAM_LOSS, i) == OnUpstreamLoss.REOPEN;
    return new Moving(
        settings.value(PoolKeys.PROGRESS_TIMEOUT, i).toNanos(),
        settings.value(PoolKeys.RELEASE_TIMEOUT, i).toNanos(),
        settings.value(PoolKeys.DRAIN_TIMEOUT, i).toNanos(),
        settings.value(PoolKeys.MOVES_PER_SECOND, i),
        settings.value(PoolKeys.REBALANCE, i),
        settings.value(PoolKeys.FOLLOW, i) == Follow.LEADER,
        isReopening);
  }

  private Ejection ejection(int i) {
    Range<Duration> time = settings.range(PoolKeys.EJECTION_TIME, PoolKeys.EJECTION_TIME_MAX, i);
    return new Ejection(
        settings.value(PoolKeys.EJECTION, i),
        settings.value(PoolKeys.EJECTION_SUSPICIONS, i),
        settings.value(PoolKeys.EJECTION_WINDOW, i),
        time.min(),
        time.max(),
        settings.value(PoolKeys.EJECTED_MAX_PERCENT, i));
  }

  private Target target(int i) {
    String pool = "pools[" + i + "]";
    String path = pool + ".upstreams";
    Optional<Elements> list = settings.values().list(path);
    boolean hasTarget = settings.values().value(PoolKeys.TARGET.at(i)).isPresent();
    if (list.isEmpty()) {
      settings
          .values()
          .list("pools")
          .filter(pools -> !hasTarget && i < pools.count())
          .ifPresent(pools ->
              settings.refuse(
                  pools.elements().get(i),
                  pool + ": has neither target nor upstreams (expected: one of both)"));
      return settings.value(PoolKeys.TARGET, i);
    }
    if (hasTarget) {
      settings.refuse(
          list.get().origin(), path + ": beside target (expected: one of both); remove one");
    }
    if (list.get().count() == 0) {
      settings.refuse(
          list.get().origin(), path + ": an empty list (expected: at least one upstream)");
    }
    return new Target.Fixed(upstreams(i, list.get()));
  }

  private List<Endpoint> upstreams(int i, Elements list) {
    Map<String, Endpoint> upstreams = new LinkedHashMap<>();
    for (int j = 0; j < list.count(); j++) {
      Optional<Setting<String>> address =
          settings.demand(PoolKeys.UPSTREAM_ADDRESS, list.elements().get(j), i, j);
      int weight = settings.value(PoolKeys.UPSTREAM_WEIGHT, i, j);
      Map<String, String> given = labels.read(PoolKeys.UPSTREAM_LABEL, i, j);
      address.ifPresent(found -> {
        Endpoint endpoint = new Endpoint(found.value(), weight, given);
        if (upstreams.putIfAbsent(Targets.canonical(found.value()), endpoint) != null) {
          settings.refuse(found, "every upstream once; give it more weight instead");
        }
      });
    }
    return List.copyOf(upstreams.values());
  }
}
