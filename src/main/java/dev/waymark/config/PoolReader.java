package dev.waymark.config;

import dev.waymark.config.PoolConfig.Ejection;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.PoolKeys.Follow;
import dev.waymark.config.PoolKeys.NoUpstream;
import dev.waymark.config.PoolKeys.OnUpstreamLoss;
import dev.waymark.config.Values.Elements;
import dev.waymark.core.PoolOptions.Moving;
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
    var policy = settings.get(PoolKeys.POLICY, i).value();
    var hashBy = settings.get(PoolKeys.HASH_BY, i).value();
    var acknowledge = settings.get(PoolKeys.ACKNOWLEDGE, i).value();
    String healthService = settings.get(PoolKeys.HEALTH_SERVICE, i).value();
    Setting<Duration> retryMin = settings.get(PoolKeys.HEALTH_RETRY_MIN, i);
    Setting<Duration> retryMax = settings.get(PoolKeys.HEALTH_RETRY_MAX, i);
    settings.checkOrder(retryMin, retryMax, true);
    Setting<Duration> ttlMin = settings.get(PoolKeys.DNS_TTL_MIN, i);
    Setting<Duration> ttlMax = settings.get(PoolKeys.DNS_TTL_MAX, i);
    settings.checkOrder(ttlMin, ttlMax, true);
    return new PoolConfig(
        name,
        target,
        policy,
        hashBy,
        acknowledge,
        healthService,
        retryMin.value(),
        retryMax.value(),
        ttlMin.value(),
        ttlMax.value(),
        settings.get(PoolKeys.NO_UPSTREAM, i).value() == NoUpstream.WAIT,
        settings.get(PoolKeys.NO_UPSTREAM_WAIT, i).value(),
        settings.get(PoolKeys.NO_UPSTREAM_BYTES, i).value(),
        settings.get(PoolKeys.USER_TIMEOUT, i).value(),
        moving(i),
        ejection(i),
        settings.get(PoolKeys.SLOW_START, i).value(),
        new SubsetReader(settings, labels).read(i, target));
  }

  private Moving moving(int i) {
    boolean isReopening =
        settings.get(PoolKeys.ON_UPSTREAM_LOSS, i).value() == OnUpstreamLoss.REOPEN;
    return new Moving(
        settings.get(PoolKeys.PROGRESS_TIMEOUT, i).value().toNanos(),
        settings.get(PoolKeys.RELEASE_TIMEOUT, i).value().toNanos(),
        settings.get(PoolKeys.DRAIN_TIMEOUT, i).value().toNanos(),
        settings.get(PoolKeys.MOVES_PER_SECOND, i).value(),
        settings.get(PoolKeys.REBALANCE, i).value(),
        settings.get(PoolKeys.FOLLOW, i).value() == Follow.LEADER,
        isReopening);
  }

  private Ejection ejection(int i) {
    Setting<Duration> time = settings.get(PoolKeys.EJECTION_TIME, i);
    Setting<Duration> timeMax = settings.get(PoolKeys.EJECTION_TIME_MAX, i);
    settings.checkOrder(time, timeMax, true);
    return new Ejection(
        settings.get(PoolKeys.EJECTION, i).value(),
        settings.get(PoolKeys.EJECTION_SUSPICIONS, i).value(),
        settings.get(PoolKeys.EJECTION_WINDOW, i).value(),
        time.value(),
        timeMax.value(),
        settings.get(PoolKeys.EJECTED_MAX_PERCENT, i).value());
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
                  pools.elements().get(i).place()
                      + ": "
                      + pool
                      + ": has neither target nor upstreams (expected: one of both)"));
      return settings.get(PoolKeys.TARGET, i).value();
    }
    if (hasTarget) {
      settings.refuse(
          list.get().origin().place()
              + ": "
              + path
              + ": beside target (expected: one of both); remove one");
    }
    if (list.get().count() == 0) {
      settings.refuse(
          list.get().origin().place()
              + ": "
              + path
              + ": an empty list (expected: at least one upstream)");
    }
    return new Target.Fixed(upstreams(i, list.get()));
  }

  private List<Endpoint> upstreams(int i, Elements list) {
    Map<String, Endpoint> upstreams = new LinkedHashMap<>();
    for (int j = 0; j < list.count(); j++) {
      String at = PoolKeys.UPSTREAM_ADDRESS.at(i, j);
      if (settings.values().value(at).isEmpty()) {
        settings.refuse(
            list.elements().get(j).place()
                + ": "
                + at
                + ": missing (expected: "
                + PoolKeys.UPSTREAM_ADDRESS.type().expected()
                + ")");
      }
      Optional<Setting<String>> address = settings.find(PoolKeys.UPSTREAM_ADDRESS, i, j);
      int weight = settings.get(PoolKeys.UPSTREAM_WEIGHT, i, j).value();
      Map<String, String> given = labels.read(PoolKeys.UPSTREAM_LABEL, i, j);
      address.ifPresent(found -> {
        if (upstreams.putIfAbsent(found.value(), new Endpoint(found.value(), weight, given))
            != null) {
          settings.refuse(found, "every upstream once; give it more weight instead");
        }
      });
    }
    return List.copyOf(upstreams.values());
  }
}
