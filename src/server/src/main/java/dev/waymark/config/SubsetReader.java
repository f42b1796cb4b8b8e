package dev.waymark.config;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.Values.Elements;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads the subsets of a pool. Confined to one load. */
final class SubsetReader {
  private static final int WHOLE_PERCENT = 100;

  private final Settings settings;
  private final LabelReader labels;

  SubsetReader(Settings settings, LabelReader labels) {
    this.settings = settings;
    this.labels = labels;
  }

  List<Subset> read(int i, Target target) {
    String path = "pools[" + i + "].subsets";
    Optional<Elements> list = settings.values().list(path);
    if (list.isEmpty()) {
      return List.of();
    }
    List<Subset> subsets = new ArrayList<>();
    int percents = 0;
    for (int j = 0; j < list.get().count(); j++) {
      Origin.File origin = list.get().elements().get(j);
      String at = path + "[" + j + "]";
      int percent =
          settings.demand(PoolKeys.SUBSET_SHARE, origin, i, j).map(Setting::value).orElse(0);
      Map<String, String> wanted = labels.read(PoolKeys.SUBSET_LABEL, i, j);
      Subset subset = new Subset(wanted, percent);
      checkLabels(subset, target, subsets, origin, at);
      subsets.add(subset);
      percents += percent;
    }
    if (percents > WHOLE_PERCENT) {
      settings.refuse(
          list.get().origin(),
          path + ": shares add up to " + percents + " % (expected: at most 100); lower one");
    }
    return subsets;
  }

  private void checkLabels(
      Subset subset, Target target, List<Subset> before, Origin.File origin, String path) {
    if (subset.labels().isEmpty()) {
      settings.refuse(
          origin, path + ".labels: missing (expected: at least one label, as NAME: TEXT)");
      return;
    }
    boolean isAny =
        switch (target) {
          case Target.Fixed(List<Endpoint> upstreams) ->
              upstreams.stream()
                  .map(Endpoint::labels)
                  .anyMatch(own -> subset.has(own) && before.stream().noneMatch(b -> b.has(own)));
          // Their addresses have no labels.
          case Target.Dns _, Target.Srv _ -> false;
          // Its upstreams come and go.
          case Target.ListFile _, Target.Registered _ -> true;
          // Its upstreams come and go, too, and the zone is their only label.
          case Target.Kubernetes _ -> subset.labels().keySet().equals(Set.of(Endpoint.ZONE));
        };
    if (!isAny) {
      settings.refuse(
          origin,
          path
              + ".labels: no upstream belongs to this subset (expected: an upstream in the list"
              + " `upstreams` with all of these labels that no earlier subset takes)");
    }
  }
}
