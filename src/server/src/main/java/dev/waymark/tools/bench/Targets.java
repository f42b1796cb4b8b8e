package dev.waymark.tools.bench;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** Resolves the targets to connect to. Stateless. */
public final class Targets {
  private Targets() {}

  /**
   * Resolves all names. Of each name it takes the addresses of the family that the system prefers.
   *
   * @throws BenchException if a name has no address
   */
  public static List<InetSocketAddress> resolve(List<InetSocketAddress> unresolved) {
    List<InetSocketAddress> targets = new ArrayList<>();
    for (InetSocketAddress target : unresolved) {
      try {
        InetAddress[] addresses = InetAddress.getAllByName(target.getHostString());
        for (InetAddress address : addresses) {
          // localhost has both families, but few servers listen on both.
          if (address.getClass() == addresses[0].getClass()) {
            targets.add(new InetSocketAddress(address, target.getPort()));
          }
        }
      } catch (UnknownHostException e) {
        throw new BenchException(
            target.getHostString()
                + ":"
                + target.getPort()
                + ": there is no address for this name");
      }
    }
    return targets;
  }
}
