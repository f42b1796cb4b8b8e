package dev.waymark.pool;

import io.netty.resolver.HostsFileEntriesProvider;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks for the addresses of a name: a literal is its own answer, then the hosts file counts, then
 * DNS, for IPv4 and IPv6 apart, so that a lost packet of one family is not taken for "no such
 * addresses". Confined to the control thread.
 */
final class NameLookup implements AutoCloseable {
  /**
   * What is known now.
   *
   * @param ipv4 of the A records
   * @param ipv6 of the AAAA records
   */
  record Answer(FamilyAnswer ipv4, FamilyAnswer ipv6) {
    /** Whether there is any address. */
    boolean isAny() {
      return !ipv4.addresses().isEmpty() || !ipv6.addresses().isEmpty();
    }

    /**
     * The reason why there is none; where one family failed, its failure says more than "no such
     * record".
     */
    String reason() {
      return !ipv4.isAnswered() || ipv6.isAnswered() ? ipv4.reason() : ipv6.reason();
    }
  }

  private final FamilyLookup ipv4;
  private final FamilyLookup ipv6;

  private NameLookup(ControlLoop control, @Nullable InetSocketAddress server) {
    ipv4 = new FamilyLookup(control, ResolvedAddressTypes.IPV4_ONLY, server);
    ipv6 = new FamilyLookup(control, ResolvedAddressTypes.IPV6_ONLY, server);
  }

  /** Asks the name servers of /etc/resolv.conf. */
  static NameLookup ofSystem(ControlLoop control) {
    return new NameLookup(control, null);
  }

  /**
   * Asks one name server.
   *
   * @param server ip:port, or a name of the hosts file in place of the ip; empty: those of
   *     /etc/resolv.conf
   * @throws IllegalArgumentException if the server is neither
   */
  static NameLookup of(ControlLoop control, String server) {
    return server.isEmpty() ? ofSystem(control) : new NameLookup(control, serverAddress(server));
  }

  private static InetSocketAddress serverAddress(String server) {
    return switch (UpstreamAddress.parse(server)) {
      case UpstreamAddress.Literal(InetSocketAddress address) -> address;
      case UpstreamAddress.Literal(var other) ->
          throw new IllegalArgumentException("a name server at " + other + " cannot be asked");
      case UpstreamAddress.Name(String host, int port) -> {
        Answer known = ofLiteralOrHostsFile(host);
        if (known == null) {
          throw new IllegalArgumentException(
              "the name server '"
                  + server
                  + "' is not an IP address and not in the hosts file; use its IP address");
        }
        List<InetAddress> found =
            known.ipv4().addresses().isEmpty()
                ? known.ipv6().addresses()
                : known.ipv4().addresses();
        yield new InetSocketAddress(found.getFirst(), port);
      }
    };
  }

  /**
   * Asks anew and calls back once, on the control thread, perhaps before this returns. One question
   * at a time counts TTLs.
   */
  void ask(String host, Consumer<Answer> onAnswer) {
    Answer known = ofLiteralOrHostsFile(host);
    if (known != null) {
      onAnswer.accept(known);
      return;
    }
    var both =
        new Object() {
          @Nullable FamilyAnswer first;
        };
    ipv4.ask(
        host,
        four -> {
          FamilyAnswer six = both.first;
          both.first = four;
          if (six != null) {
            onAnswer.accept(new Answer(four, six));
          }
        });
    ipv6.ask(
        host,
        six -> {
          FamilyAnswer four = both.first;
          both.first = six;
          if (four != null) {
            onAnswer.accept(new Answer(four, six));
          }
        });
  }

  /**
   * Read each time, since the file may change while the bridge runs (Docker and Kubernetes write
   * it).
   */
  private static @Nullable Answer ofLiteralOrHostsFile(String host) {
    byte[] ip = NetUtil.createByteArrayFromIpAddressString(host);
    if (ip != null) {
      try {
        List<InetAddress> literal = List.of(InetAddress.getByAddress(ip));
        return ip.length == 4 ? answer(literal, List.of()) : answer(List.of(), literal);
      } catch (UnknownHostException notFourOrSixteenBytes) {
        throw new IllegalStateException(notFourOrSixteenBytes);
      }
    }
    var file = HostsFileEntriesProvider.parser().parseSilently();
    String name = host.toLowerCase(Locale.ROOT);
    Answer answer =
        answer(
            file.ipv4Entries().getOrDefault(name, List.of()),
            file.ipv6Entries().getOrDefault(name, List.of()));
    return answer.isAny() ? answer : null;
  }

  private static Answer answer(List<InetAddress> ipv4, List<InetAddress> ipv6) {
    return new Answer(
        FamilyAnswer.of(ipv4, Integer.MAX_VALUE), FamilyAnswer.of(ipv6, Integer.MAX_VALUE));
  }

  @Override
  public void close() {
    ipv4.close();
    ipv6.close();
  }
}
