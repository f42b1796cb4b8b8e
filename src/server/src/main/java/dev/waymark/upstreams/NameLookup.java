package dev.waymark.upstreams;

import dev.waymark.net.dial.UpstreamProblem;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks for the addresses of a name: a literal is its own answer, then the hosts file counts, then
 * DNS, for IPv4 and IPv6 apart, so that a lost packet of one family is not taken for "no such
 * addresses". Confined to the control thread.
 */
final class NameLookup {
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

    /** Why there is none; where one family failed, its failure says more than "no such record". */
    UpstreamProblem problem() {
      FamilyAnswer telling = !ipv4.isAnswered() || ipv6.isAnswered() ? ipv4 : ipv6;
      return Objects.requireNonNull(telling.problem(), "asked of an answer with addresses");
    }
  }

  private final ControlLoop control;
  private final ResolverFiles files;
  private final String server;

  private NameLookup(ControlLoop control, ResolverFiles files, String server) {
    this.control = control;
    this.files = files;
    this.server = server;
  }

  /**
   * Asks one name server, or those of resolv.conf.
   *
   * @param server ip:port, or a name of the hosts file in place of the ip; empty: those of
   *     resolv.conf
   */
  static NameLookup of(ControlLoop control, ResolverFiles files, String server) {
    return new NameLookup(control, files, server);
  }

  /** Whether another answer may be due: a file that it depends on has changed. */
  boolean isOutdated() {
    return files.isChanged();
  }

  /** Whom to ask now. */
  private ResolvConf conf() throws UnknownHostException {
    ResolvConf conf = files.resolvConf();
    if (!server.isEmpty()) {
      return conf.withServer(serverAddress());
    }
    if (conf.servers().isEmpty()) {
      throw new UnknownHostException(
          "no name server is configured: there is no nameserver line in " + files.resolvConfPath());
    }
    return conf;
  }

  private InetSocketAddress serverAddress() throws UnknownHostException {
    return switch (UpstreamAddress.parse(server)) {
      case UpstreamAddress.Literal(InetSocketAddress address) -> address;
      case UpstreamAddress.Zoned zoned -> zoned.resolve();
      case UpstreamAddress.Name(String host, int port) -> {
        Answer known = ofLiteralOrHostsFile(host);
        if (known == null) {
          throw new UnknownHostException(
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
      case UpstreamAddress.Literal _, UpstreamAddress.Refused _ ->
          throw new UnknownHostException("a name server at '" + server + "' cannot be asked");
    };
  }

  /** Asks anew and calls back once, on the control thread, perhaps before this returns. */
  void ask(String host, Consumer<Answer> onAnswer) {
    Answer known = ofLiteralOrHostsFile(host);
    if (known != null) {
      onAnswer.accept(known);
      return;
    }
    try {
      askServers(conf(), host, onAnswer);
    } catch (UnknownHostException | IllegalArgumentException cannotAsk) {
      FamilyAnswer failed = FamilyAnswer.failed(String.valueOf(cannotAsk.getMessage()));
      onAnswer.accept(new Answer(failed, failed));
    }
  }

  private void askServers(ResolvConf conf, String host, Consumer<Answer> onAnswer) {
    var both =
        new Object() {
          @Nullable FamilyAnswer first;
        };
    FamilyLookup.ask(
        control,
        ResolvedAddressTypes.IPV4_ONLY,
        conf,
        host,
        four -> {
          FamilyAnswer six = both.first;
          both.first = four;
          if (six != null) {
            onAnswer.accept(new Answer(four, six));
          }
        });
    FamilyLookup.ask(
        control,
        ResolvedAddressTypes.IPV6_ONLY,
        conf,
        host,
        six -> {
          FamilyAnswer four = both.first;
          both.first = six;
          if (four != null) {
            onAnswer.accept(new Answer(four, six));
          }
        });
  }

  private @Nullable Answer ofLiteralOrHostsFile(String host) {
    byte[] ip = NetUtil.createByteArrayFromIpAddressString(host);
    if (ip != null) {
      try {
        List<InetAddress> literal = List.of(InetAddress.getByAddress(ip));
        return ip.length == 4 ? answer(literal, List.of()) : answer(List.of(), literal);
      } catch (UnknownHostException notFourOrSixteenBytes) {
        throw new IllegalStateException(notFourOrSixteenBytes);
      }
    }
    String lower = host.toLowerCase(Locale.ROOT);
    String name = lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    Answer answer =
        answer(
            files.hosts().ipv4Entries().getOrDefault(name, List.of()),
            files.hosts().ipv6Entries().getOrDefault(name, List.of()));
    return answer.isAny() ? answer : null;
  }

  private static Answer answer(List<InetAddress> ipv4, List<InetAddress> ipv6) {
    return new Answer(
        FamilyAnswer.of(ipv4, Integer.MAX_VALUE), FamilyAnswer.of(ipv6, Integer.MAX_VALUE));
  }
}
