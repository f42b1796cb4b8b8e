package dev.waymark.upstreams.names;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result of resolving a name in one address family. Immutable.
 *
 * @param isAnswered false: no server answered, so nothing is known; true without addresses: the
 *     name has none in this family
 * @param ttlSeconds the smallest TTL of the answer
 * @param problem why there are no addresses; null if there are some
 */
public record FamilyAnswer(
    boolean isAnswered,
    List<InetAddress> addresses,
    long ttlSeconds,
    @Nullable UpstreamProblem problem) {
  static final UpstreamProblem NO_ADDRESS =
      new UpstreamProblem(Kind.NO_ADDRESS, "the name has no address");

  public FamilyAnswer {
    addresses = List.copyOf(addresses);
  }

  static FamilyAnswer of(List<InetAddress> addresses, long ttlSeconds) {
    return new FamilyAnswer(true, addresses, ttlSeconds, addresses.isEmpty() ? NO_ADDRESS : null);
  }

  static FamilyAnswer none(UpstreamProblem problem) {
    return new FamilyAnswer(true, List.of(), Integer.MAX_VALUE, problem);
  }

  static FamilyAnswer failed(String text) {
    return new FamilyAnswer(
        false, List.of(), Integer.MAX_VALUE, new UpstreamProblem(Kind.DNS_FAILED, text));
  }
}
