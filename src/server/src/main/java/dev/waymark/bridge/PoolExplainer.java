package dev.waymark.bridge;

import dev.waymark.api.ServiceExplanation.Instance;
import dev.waymark.api.ServiceExplanation.Listing;
import dev.waymark.api.ServiceExplanation.Pool;
import dev.waymark.api.ServiceExplanation.Source;
import dev.waymark.api.UpstreamStatus;
import dev.waymark.config.TargetText;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.upstreams.PoolReport;
import dev.waymark.upstreams.PoolReport.Trouble;
import dev.waymark.upstreams.discovery.SourceReport;
import dev.waymark.upstreams.discovery.SourceReport.Entry;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Joins what the source of a pool knows with what the pool makes of it. Has no clock. Confined to
 * one thread.
 */
final class PoolExplainer {
  private final PoolReport report;
  private final Map<String, List<LaneStatus>> lanes;
  private final BiFunction<UpstreamView, List<LaneStatus>, UpstreamStatus> status;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<String, PoolReport.Upstream> upstreams = new LinkedHashMap<>();

  /**
   * @param lanes of this pool, also to upstreams that it has no more
   * @param status of an upstream and its lanes, as it is shown
   */
  PoolExplainer(
      PoolReport report,
      List<LaneStatus> lanes,
      BiFunction<UpstreamView, List<LaneStatus>, UpstreamStatus> status) {
    this.report = report;
    this.lanes = lanes.stream().collect(Collectors.groupingBy(LaneStatus::upstream));
    this.status = status;
    report.source().entries().forEach(entry -> entries.put(entry.endpoint().address(), entry));
    report.upstreams().forEach(each -> upstreams.put(each.view().address(), each));
  }

  /** Explains the instances with these addresses. */
  Pool explain(Predicate<String> isAsked) {
    Set<String> addresses = new LinkedHashSet<>(entries.keySet());
    addresses.addAll(upstreams.keySet());
    lanes.keySet().stream().sorted().forEach(addresses::add);
    return new Pool(
        report.config().name(),
        TargetText.of(report.config().target()),
        source(),
        addresses.stream().filter(isAsked).map(this::instance).toList());
  }

  private Source source() {
    SourceReport source = report.source();
    Optional<UpstreamProblem> problem = report.trouble().map(Trouble::problem);
    return new Source(
        source.server().map(SourceReport.Server::address).orElse(""),
        source.server().map(server -> ageMs(server.sinceNs())).orElse(null),
        ageMs(source.heardNs()),
        source.version(),
        (int) entries.values().stream().filter(entry -> entry.standing().isKept()).count(),
        problem.map(each -> each.kind().label()).orElse(""),
        problem.map(UpstreamProblem::text).orElse(""),
        report.trouble().map(trouble -> ageMs(trouble.sinceNs())).orElse(null));
  }

  private Instance instance(String address) {
    Entry entry = entries.get(address);
    Listing listing = entry == null ? null : listing(entry);
    PoolReport.Upstream upstream = upstreams.get(address);
    return upstream == null
        ? notInPool(address, entry, listing)
        : inPool(address, upstream, listing);
  }

  private Instance notInPool(String address, @Nullable Entry entry, @Nullable Listing listing) {
    boolean isWithheld = entry != null && !entry.withheld().isEmpty();
    return new Instance(
        address,
        false,
        WhyUnused.notInPool(entry),
        entry != null && isWithheld ? ageMs(entry.sinceNs()) : null,
        ownLanes(address).stream().mapToLong(LaneStatus::connections).sum(),
        listing,
        null,
        null,
        null);
  }

  private Instance inPool(String address, PoolReport.Upstream upstream, @Nullable Listing listing) {
    List<LaneStatus> own = ownLanes(address);
    UpstreamStatus shown = status.apply(upstream.view(), own);
    UpstreamState state = upstream.view().state();
    boolean hasAnnounced = LaneAnnouncements.isDraining(own);
    String why =
        new WhyUnused(report, upstream, shown)
            .ofState(LaneAnnouncements.shown(state, hasAnnounced), hasAnnounced);
    // What only lanes know has no time.
    boolean isDatedByState =
        state == LaneAnnouncements.shown(state, hasAnnounced)
            && (why.isEmpty() || state != UpstreamState.SERVING);
    return new Instance(
        address,
        why.isEmpty(),
        why,
        isDatedByState ? ageMs(upstream.stateNs()) : null,
        shown.connections(),
        listing,
        shown,
        upstream.ejection().map(each -> -ageMs(each.endsAtNs())).orElse(null),
        upstream.trouble().map(trouble -> ageMs(trouble.sinceNs())).orElse(null));
  }

  private List<LaneStatus> ownLanes(String address) {
    return lanes.getOrDefault(address, List.of());
  }

  private Listing listing(Entry entry) {
    return new Listing(
        entry.standing().health(),
        entry.standing().isDamped(),
        entry.standing().isKept(),
        entry.withheld().isEmpty(),
        entry.endpoint().weight(),
        entry.endpoint().priority(),
        entry.endpoint().labels(),
        ageMs(entry.sinceNs()));
  }

  private @Nullable Long ageMs(OptionalLong atNs) {
    return atNs.isPresent() ? ageMs(atNs.getAsLong()) : null;
  }

  private long ageMs(long atNs) {
    return TimeUnit.NANOSECONDS.toMillis(report.nowNs() - atNs);
  }
}
