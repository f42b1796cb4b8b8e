package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import java.util.List;

/**
 * What matters of an EndpointSlice of Kubernetes. Immutable.
 *
 * @param name of the slice, unique in its namespace
 * @param members its endpoints at the port that is looked for, in its order
 * @param endpointCount all endpoints with an IP address
 * @param hasPort whether it has the port that is looked for
 */
record EndpointSlice(String name, List<Member> members, int endpointCount, boolean hasPort) {
  /** Whether an endpoint can be used. The first that is true of one in several slices counts. */
  enum Condition {
    READY,
    NOT_READY,
    TERMINATING
  }

  /** An endpoint of a slice. */
  record Member(Endpoint endpoint, Condition condition) {
    boolean isReady() {
      return condition == Condition.READY;
    }
  }

  EndpointSlice {
    members = List.copyOf(members);
  }

  boolean hasReady() {
    return members.stream().anyMatch(Member::isReady);
  }
}
