package dev.waymark.tools.directory.xds;

import dev.waymark.xds.proto.Address;
import dev.waymark.xds.proto.Pipe;
import dev.waymark.xds.proto.SocketAddress;
import java.net.InetAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The address of an instance, for xDS clients. Immutable.
 *
 * @param address set unless there is a problem
 * @param problem why no client could use it; empty if they can
 */
record InstanceAddress(Address address, String problem) {
  private static final String UNIX = "unix:";
  private static final int PORT_MAX = 65_535;

  /** Groups: an IPv6 address in brackets, any other host, port. */
  private static final Pattern HOST_PORT =
      Pattern.compile("(?:\\[([0-9A-Fa-f:.]+)]|([^\\[\\]:%]+)):([0-9]{1,5})");

  /** Reads host:port, IPv6 in brackets, or unix:/path. */
  static InstanceAddress read(String text) {
    if (text.startsWith(UNIX)) {
      Pipe pipe = Pipe.newBuilder().setPath(text.substring(UNIX.length())).build();
      return new InstanceAddress(Address.newBuilder().setPipe(pipe).build(), "");
    }
    Matcher parts = HOST_PORT.matcher(text);
    int port = parts.matches() ? Integer.parseInt(parts.group(3)) : 0;
    if (port < 1 || port > PORT_MAX) {
      return unusable("it is not IP:PORT");
    }
    try {
      InetAddress ip =
          InetAddress.ofLiteral(parts.group(1) != null ? parts.group(1) : parts.group(2));
      SocketAddress socket =
          SocketAddress.newBuilder().setAddress(ip.getHostAddress()).setPortValue(port).build();
      return new InstanceAddress(Address.newBuilder().setSocketAddress(socket).build(), "");
    } catch (IllegalArgumentException name) {
      return unusable("it has a host name; endpoints in xDS have IP addresses");
    }
  }

  private static InstanceAddress unusable(String problem) {
    return new InstanceAddress(Address.getDefaultInstance(), problem);
  }

  boolean isUsable() {
    return problem.isEmpty();
  }

  boolean isPipe() {
    return address.hasPipe();
  }
}
