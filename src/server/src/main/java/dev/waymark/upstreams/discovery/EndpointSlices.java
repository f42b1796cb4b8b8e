package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.discovery.EndpointSlice.Member;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The EndpointSlices of one service, as far as they are known. Confined to the control thread.
 *
 * <p>An endpoint may be in several slices for a while, as Kubernetes moves it from one to another:
 * it is one upstream, and ready if one of them says so. One that is not ready any more, or
 * terminates, is no upstream any more. That does not break its connections: an address that
 * disappears drains, and its connections are handed over to others, as with every kind of target.
 */
final class EndpointSlices {
  static final int ENDPOINTS_MAX = 10_000;
  static final int SLICES_MAX = 10_000;

  /** In order, so that of several slices with an endpoint it is always the same that counts. */
  private final Map<String, EndpointSlice> slices = new TreeMap<>();

  private int endpointCount;

  // --- inputs ---

  /** A slice is new, or has changed. */
  void put(EndpointSlice slice) {
    remove(slice.name());
    slices.put(slice.name(), slice);
    endpointCount += slice.endpointCount();
  }

  /** A slice has been deleted. */
  void remove(String name) {
    EndpointSlice gone = slices.remove(name);
    endpointCount -= gone == null ? 0 : gone.endpointCount();
  }

  // --- outputs ---

  /** Whether these are too many to be kept. Ask after each {@link #put}. */
  boolean isTooLarge() {
    return endpointCount > ENDPOINTS_MAX || slices.size() > SLICES_MAX;
  }

  /** All upstreams, each once, in the order of their addresses. */
  List<Endpoint> upstreams() {
    return members().stream().filter(Member::isReady).map(Member::endpoint).toList();
  }

  /** All endpoints at the port, each once, in the order of their addresses. */
  List<Member> members() {
    Map<String, Member> merged = new TreeMap<>();
    for (EndpointSlice slice : slices.values()) {
      for (Member member : slice.members()) {
        merged.merge(
            member.endpoint().address(),
            member,
            (known, other) -> other.condition().compareTo(known.condition()) < 0 ? other : known);
      }
    }
    return List.copyOf(merged.values());
  }

  /** Why there is no upstream; empty if there are some. */
  Optional<UpstreamProblem> problem(Target.Kubernetes target) {
    if (slices.isEmpty()) {
      return Optional.of(
          new UpstreamProblem(
              Kind.NO_SUCH_NAME,
              "no EndpointSlice belongs to service "
                  + target.service()
                  + " in namespace "
                  + target.namespace()
                  + ": there is no such service, or it has no selector"));
    }
    if (slices.values().stream().anyMatch(EndpointSlice::hasReady)) {
      return Optional.empty();
    }
    return Optional.of(new UpstreamProblem(Kind.NO_ADDRESS, whyNone(target)));
  }

  private String whyNone(Target.Kubernetes target) {
    if (endpointCount == 0) {
      return "the service has no endpoint with an IP address: its selector may match no pod";
    }
    boolean hasPort =
        slices.values().stream().anyMatch(slice -> slice.endpointCount() > 0 && slice.hasPort());
    return hasPort
        ? "no endpoint of the service is ready (there are " + endpointCount + ")"
        : "the EndpointSlices of the service have no TCP port named " + target.port();
  }
}
