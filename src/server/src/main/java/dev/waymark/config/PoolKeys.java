package dev.waymark.config;

import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.config.PoolConfig.Target;

/** The keys that say which upstreams a pool has. Immutable. */
public final class PoolKeys {
  static final KeyGroup<PoolConfig> GROUP = new KeyGroup<>("Pools", Scope.POOL, "");

  public static final Key<PoolConfig, String> NAME =
      GROUP
          .key("name", ValueType.name())
          .byDefault("default")
          .onReload(OnReload.AT_ONCE)
          .meaning("Name of the pool in logs and metrics; unique.");

  public static final Key<PoolConfig, Target> TARGET =
      GROUP
          .key("target", Targets.target())
          .byDefault("static:///127.0.0.1:4770")
          .excludes("upstreams")
          .readByHand()
          .flag("--upstream")
          .onReload(OnReload.AT_ONCE)
          .meaning("Where upstreams are found. Either this or the list `upstreams`, not both.");

  static final KeyGroup<Subset> SUBSETS = new KeyGroup<>("Subsets", Scope.SUBSET, "");

  static final Key<Subset, Integer> SUBSET_SHARE =
      SUBSETS
          .key("share-percent", ValueType.number(0, 100))
          .required()
          .readByHand()
          .example("5")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Share of the connections that go to the upstreams with all of these labels. Required; 0: none.");

  static final Key<Subset, String> SUBSET_LABEL =
      SUBSETS
          .key("labels.*", ValueType.text(0, 253))
          .required()
          .readByHand()
          .example("a")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Which upstreams belong to it, as NAME: TEXT. An upstream belongs to the first subset that it matches, otherwise to the rest.");

  private PoolKeys() {}
}
