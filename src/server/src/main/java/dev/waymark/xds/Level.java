package dev.waymark.xds;

import dev.waymark.config.PoolConfig.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The endpoints of one priority, in groups by locality. A group's weight is its share of the
 * priority, which its endpoints divide by their own weights; a group without one gets nothing if
 * another has one. If none has, only the weights of endpoints count.
 */
final class Level {
  private static final int WEIGHT_MAX = 1_000;

  /** An endpoint that may be used; its weight is among those of its group. */
  record Member(String address, long weight, Map<String, String> labels, String health) {
    /** Returns it with a weight that fits. */
    KnownEndpoint known(double share, int priority, String withheld) {
      int fitting = Math.clamp(Math.round(share), 1, WEIGHT_MAX);
      return new KnownEndpoint(new Endpoint(address, fitting, priority, labels), health, withheld);
    }
  }

  private record Group(long weight, List<Member> members) {}

  private record Share(Member member, double size) {}

  private final List<Group> groups = new ArrayList<>();

  /**
   * @param weight 0: it has none
   */
  void add(long weight, List<Member> members) {
    groups.add(new Group(weight, members));
  }

  /** Its endpoints, with weights from 1 to 1000 in the same proportions, as far as they go. */
  List<KnownEndpoint> endpoints(int priority) {
    List<Share> shares = shares();
    double max = shares.stream().mapToDouble(Share::size).max().orElse(1);
    boolean isAsIs =
        max <= WEIGHT_MAX && shares.stream().allMatch(share -> share.size == Math.rint(share.size));
    double scale = isAsIs ? 1 : WEIGHT_MAX / max;
    List<KnownEndpoint> endpoints = new ArrayList<>();
    shares.forEach(share -> endpoints.add(share.member.known(share.size * scale, priority, "")));
    groups.stream()
        .filter(this::isWithout)
        .flatMap(group -> group.members.stream())
        .forEach(member ->
            endpoints.add(
                member.known(
                    (double) member.weight,
                    priority,
                    "its locality has no weight, and others of its priority have one")));
    return endpoints;
  }

  private boolean isWithout(Group group) {
    return isWeighted() && group.weight == 0;
  }

  private boolean isWeighted() {
    return groups.stream().anyMatch(group -> group.weight > 0);
  }

  private List<Share> shares() {
    boolean isWeighted = isWeighted();
    List<Share> shares = new ArrayList<>();
    for (Group group : groups) {
      if (!isWithout(group)) {
        long sum = group.members.stream().mapToLong(Member::weight).sum();
        group.members.forEach(member ->
            shares.add(
                new Share(
                    member,
                    isWeighted ? (double) group.weight * member.weight / sum : member.weight)));
      }
    }
    return shares;
  }
}
