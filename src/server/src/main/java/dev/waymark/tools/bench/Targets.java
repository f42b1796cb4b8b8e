package dev.waymark.tools.bench;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** Where to connect, as the user writes it. No state. */
public final class Targets {
  private static final int PORT_MAX = 65_535;

  private Targets() {}

  /**
   * All addresses of all names; of a name, those of the family that the system prefers.
   *
   * @throws BenchException if a text is not HOST:PORT, or a name has no address
   */
  public static List<InetSocketAddress> resolve(List<String> texts) {
    List<InetSocketAddress> targets = new ArrayList<>();
    for (String text : texts) {
      InetSocketAddress target = parse(text);
      try {
        InetAddress[] addresses = InetAddress.getAllByName(target.getHostString());
        for (InetAddress address : addresses) {
          // localhost is two of them, and few servers listen on both.
          if (address.getClass() == addresses[0].getClass()) {
            targets.add(new InetSocketAddress(address, target.getPort()));
          }
        }
      } catch (UnknownHostException e) {
        throw new BenchException(text + ": there is no address for this name");
      }
    }
    return targets;
  }

  /**
   * One, its name not resolved; port 0 is allowed.
   *
   * @throws BenchException if the text is not HOST:PORT
   */
  public static InetSocketAddress parse(String text) {
    int colon = text.lastIndexOf(':');
    String port = text.substring(colon + 1);
    String host = colon < 0 ? "" : text.substring(0, colon);
    boolean isBracketed = host.startsWith("[") && host.endsWith("]");
    if (host.isEmpty()
        || (!isBracketed && host.indexOf(':') >= 0)
        || !port.matches("[0-9]{1,5}")
        || Integer.parseInt(port) > PORT_MAX) {
      throw new BenchException(
          text + " (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)");
    }
    String name = isBracketed ? host.substring(1, host.length() - 1) : host;
    return InetSocketAddress.createUnresolved(name, Integer.parseInt(port));
  }
}
