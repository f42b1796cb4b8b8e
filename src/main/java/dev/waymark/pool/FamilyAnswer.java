package dev.waymark.pool;

import java.net.InetAddress;
import java.util.List;

/**
 * What a name server said of a name in one address family. Immutable.
 *
 * @param isAnswered false: nobody answered, so nothing is known; true without addresses: there are
 *     none
 * @param ttlSeconds the smallest of the answer
 * @param reason why there are no addresses; empty if there are some
 */
record FamilyAnswer(
    boolean isAnswered, List<InetAddress> addresses, long ttlSeconds, String reason) {
  FamilyAnswer {
    addresses = List.copyOf(addresses);
  }

  static FamilyAnswer of(List<InetAddress> addresses, long ttlSeconds) {
    return new FamilyAnswer(
        true, addresses, ttlSeconds, addresses.isEmpty() ? "no address in the answer" : "");
  }

  static FamilyAnswer none(String reason) {
    return new FamilyAnswer(true, List.of(), Integer.MAX_VALUE, reason);
  }

  static FamilyAnswer failed(String reason) {
    return new FamilyAnswer(false, List.of(), Integer.MAX_VALUE, reason);
  }
}
