package dev.waymark.config;

import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.Values.Elements;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads pools. Confined to one load. */
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
    KeyValues<PoolConfig> values = settings.readAll(Scope.POOL, i);
    names.add(settings.get(PoolKeys.NAME, i));
    Target target = target(i);
    checkTls(i);
    checkRegistry(i, target);
    return new PoolConfig(
        values.with(PoolKeys.TARGET, target), new SubsetReader(settings, labels).read(i, target));
  }

  private void checkTls(int i) {
    boolean isTls = settings.value(UpstreamTlsKeys.MODE, i) == UpstreamTlsKeys.Mode.REQUIRED;
    boolean hasCertificate = settings.find(UpstreamTlsKeys.CERTIFICATE, i).isPresent();
    settings
        .find(UpstreamTlsKeys.KEY, i)
        .filter(_ -> !hasCertificate)
        .ifPresent(key -> settings.refuse(key, "together with tls.certificate"));
    if (!isTls) {
      for (Key<PoolConfig, ?> key : UpstreamTlsKeys.GROUP.keys()) {
        settings.refuseAlone(key, "together with tls.mode required", i);
      }
    }
  }

  private void checkRegistry(int i, Target target) {
    if (!(target instanceof Target.Registered)) {
      for (Key<PoolConfig, ?> key : RegistryKeys.GROUP.keys()) {
        settings.refuseAlone(
            key, "together with a target of a registry: directory, etcd or xds", i);
      }
      return;
    }
    boolean isTls = settings.value(RegistryKeys.TLS, i) == UpstreamTlsKeys.Mode.REQUIRED;
    if (!isTls) {
      for (Key<PoolConfig, ?> key : RegistryKeys.OF_TLS) {
        settings.refuseAlone(key, "together with registry.tls required", i);
      }
    }
    boolean hasCertificate = settings.find(RegistryKeys.CERTIFICATE, i).isPresent();
    settings
        .find(RegistryKeys.KEY, i)
        .filter(_ -> !hasCertificate)
        .ifPresent(key -> settings.refuse(key, "together with registry.certificate"));
    checkLogin(i);
  }

  private void checkLogin(int i) {
    boolean hasUser = !settings.value(RegistryKeys.USERNAME, i).isEmpty();
    boolean hasPassword = settings.find(RegistryKeys.PASSWORD_FILE, i).isPresent();
    settings
        .find(RegistryKeys.USERNAME, i)
        .filter(_ -> hasUser && !hasPassword)
        .ifPresent(user -> settings.refuse(user, "together with registry.password-file"));
    settings
        .find(RegistryKeys.PASSWORD_FILE, i)
        .filter(_ -> !hasUser)
        .ifPresent(file -> settings.refuse(file, "together with registry.username"));
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
                  pool + ": has neither target nor upstreams (expected: one of the two)"));
      return settings.value(PoolKeys.TARGET, i);
    }
    if (hasTarget) {
      settings.refuse(
          list.get().origin(),
          path + ": set together with target (expected: one of the two); remove one");
    }
    if (list.get().count() == 0) {
      settings.refuse(
          list.get().origin(), path + ": an empty list (expected: at least one upstream)");
    }
    return new Target.Fixed(
        new UpstreamReader(settings, labels, UpstreamKeys.IN_POOL).read(list.get(), i));
  }
}
