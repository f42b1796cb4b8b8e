package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target.Dns;
import dev.waymark.upstreams.names.NameLookup;
import dev.waymark.upstreams.names.UpstreamAddress;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The A and AAAA records of a name: each address is an upstream. A family that no server answers
 * for keeps its addresses. Confined to the control thread.
 */
final class AddressRecords implements Records {
  private static final int WEIGHT = 1;

  private static final Comparator<InetAddress> BY_FAMILY_AND_NUMBER =
      Comparator.<InetAddress>comparingInt(a -> a.getAddress().length)
          .thenComparing(InetAddress::getAddress, Arrays::compareUnsigned);

  private final Dns target;
  private final NameLookup lookup;
  private List<InetAddress> ipv4 = List.of();
  private List<InetAddress> ipv6 = List.of();

  AddressRecords(Dns target, NameLookup lookup) {
    this.target = target;
    this.lookup = lookup;
  }

  @Override
  public void look(Consumer<Outcome> onOutcome) {
    lookup.resolve(
        target.host(),
        answer ->
            onOutcome.accept(
                answer.hasAddresses() ? found(answer) : new Outcome.Failed(answer.problem())));
  }

  /** In numerical order, since servers rotate them. */
  private Outcome found(NameLookup.Answer answer) {
    ipv4 = answer.ipv4().isAnswered() ? answer.ipv4().addresses() : ipv4;
    ipv6 = answer.ipv6().isAnswered() ? answer.ipv6().addresses() : ipv6;
    List<Endpoint> upstreams =
        Stream.concat(ipv4.stream(), ipv6.stream())
            .distinct()
            .sorted(BY_FAMILY_AND_NUMBER)
            .map(ip -> new Endpoint(UpstreamAddress.format(ip, target.port()), WEIGHT, Map.of()))
            .toList();
    return new Outcome.Found(
        upstreams, Math.min(answer.ipv4().ttlSeconds(), answer.ipv6().ttlSeconds()));
  }

  @Override
  public boolean isOutdated() {
    return lookup.isOutdated();
  }
}
