package dev.waymark.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** The resolved addresses to listen on; no two exclude each other. Confined to one load. */
final class AddressBook {
  /** Resolves a name; may block. */
  @FunctionalInterface
  interface Resolver {
    InetAddress resolve(String host) throws UnknownHostException;
  }

  private record Taken(Setting<HostPort> setting, InetSocketAddress address) {}

  private final Resolver resolver;
  private final Settings settings;
  private final List<Taken> taken = new ArrayList<>();

  AddressBook(Resolver resolver, Settings settings) {
    this.resolver = resolver;
    this.settings = settings;
  }

  /** Returns the socket address; notes a refusal if there is none or if it is taken. */
  InetSocketAddress add(Setting<HostPort> setting) {
    HostPort wanted = setting.value();
    InetSocketAddress address = new InetSocketAddress(resolve(setting), wanted.port());
    for (Taken other : taken) {
      if (!setting.isRefused() && ListenAddresses.exclude(address, other.address)) {
        settings.refuse(
            setting, "an unused address; " + other.setting.path() + " is " + other.setting.text());
      }
    }
    if (!setting.isRefused()) {
      taken.add(new Taken(setting, address));
    }
    return address;
  }

  private InetAddress resolve(Setting<HostPort> setting) {
    String host = setting.value().host();
    try {
      return ListenAddresses.bound(InetAddress.ofLiteral(host), ListenAddresses::hasIpv6);
    } catch (IllegalArgumentException isName) {
      try {
        return resolver.resolve(host);
      } catch (UnknownHostException unknown) {
        settings.refuse(setting, "an address of this host, or a name that resolves to one");
        return InetAddress.getLoopbackAddress();
      }
    }
  }
}
