package dev.waymark.config;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.util.Locale;

/** The address of an instance, as its node or a registry names it. Stateless. */
public final class ServiceAddress {
  private ServiceAddress() {}

  /**
   * Returns the one text for all spellings of HOST:PORT, [IPV6]:PORT (RFC 5952) or unix:/PATH.
   *
   * @throws BadValueException naming what is expected
   */
  public static String read(String text) throws BadValueException {
    String address = Targets.address().reader().read(text);
    if (address.startsWith("unix:")) {
      return address;
    }
    HostPort read = HostPort.dialled(address);
    if (!read.isIp()) {
      return read.text().toLowerCase(Locale.ROOT);
    }
    int zone = read.host().indexOf('%');
    InetAddress ip = InetAddress.ofLiteral(zone < 0 ? read.host() : read.host().substring(0, zone));
    if (ip.isAnyLocalAddress()) {
      throw new BadValueException("an address that others can reach, not that of all interfaces");
    }
    String host = NetUtil.toAddressString(ip) + (zone < 0 ? "" : read.host().substring(zone));
    return new HostPort(host, read.port()).text();
  }
}
