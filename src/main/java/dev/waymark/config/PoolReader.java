package dev.waymark.config;

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
import java.util.regex.Pattern;

/** Makes pools of settings. Confined to one load. */
final class PoolReader {
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._/-]{1,63}");

  private final Settings settings;

  PoolReader(Settings settings) {
    this.settings = settings;
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
        moving(i));
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
      Map<String, String> labels = labels(i, j);
      address.ifPresent(given -> {
        if (upstreams.putIfAbsent(given.value(), new Endpoint(given.value(), weight, labels))
            != null) {
          settings.refuse(given, "every upstream once; give it more weight instead");
        }
      });
    }
    return List.copyOf(upstreams.values());
  }

  private Map<String, String> labels(int i, int j) {
    String prefix = PoolKeys.UPSTREAM_LABEL.at(i, j).replace("*", "");
    Map<String, String> labels = new LinkedHashMap<>();
    settings
        .values()
        .under(prefix)
        .forEach((name, value) -> {
          if (!LABEL.matcher(name).matches()) {
            settings.refuse(
                value
                    .origin()
                    .refusal(
                        prefix + Setting.printable(name),
                        Setting.printable(value.text()),
                        "a name of 1 to 63 of A-Z, a-z, 0-9, ., _, / and -"));
          }
          settings
              .find(PoolKeys.UPSTREAM_LABEL, value, prefix + name)
              .ifPresent(label -> labels.put(name, label.value()));
        });
    return labels;
  }
}
