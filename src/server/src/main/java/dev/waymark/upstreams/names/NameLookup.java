package dev.waymark.upstreams.names;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.upstreams.control.ControlLoop;
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
 * Resolves a name: as a literal, then from the hosts file, then through DNS. IPv4 and IPv6 are
 * queried separately, so that a lost packet of one family is not taken for "no addresses". Confined
 * to the control thread.
 */
public final class NameLookup {
  /**
   * The result for both address families.
   *
   * @param ipv4 the A records
   * @param ipv6 the AAAA records
   */
  public record Answer(FamilyAnswer ipv4, FamilyAnswer ipv6) {
    /** Whether there is an address in either family. */
    public boolean hasAddresses() {
      return !ipv4.addresses().isEmpty() || !ipv6.addresses().isEmpty();
    }

    /** Why there is no address; if one family failed, its failure, which says more than "none". */
    public UpstreamProblem problem() {
      FamilyAnswer cause = !ipv4.isAnswered() || ipv6.isAnswered() ? ipv4 : ipv6;
      return Objects.requireNonNull(cause.problem(), "the answer has addresses");
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
   * Creates a lookup that queries one name server, or those in resolv.conf.
   *
   * @param server ip:port, or a name in the hosts file in place of the ip; empty: those in
   *     resolv.conf
   */
  public static NameLookup of(ControlLoop control, ResolverFiles files, String server) {
    return new NameLookup(control, files, server);
  }

  /** Whether answers may have changed, because resolv.conf or the hosts file has. */
  public boolean isOutdated() {
    return files.hasChanged();
  }

  /** Returns the current resolv.conf, with the configured server if there is one. */
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
          throw new UnknownHostException("'" + server + "' cannot be used as a name server");
    };
  }

  /** Resolves and calls back once, on the control thread, perhaps before this returns. */
  public void resolve(String host, Consumer<Answer> onAnswer) {
    Answer known = ofLiteralOrHostsFile(host);
    if (known != null) {
      onAnswer.accept(known);
      return;
    }
    try {
      queryServers(conf(), host, onAnswer);
    } catch (UnknownHostException | IllegalArgumentException noServer) {
      FamilyAnswer failed = FamilyAnswer.failed(String.valueOf(noServer.getMessage()));
      onAnswer.accept(new Answer(failed, failed));
    }
  }

  /**
   * Asks for the SRV records of a name and calls back once, on the control thread, perhaps before
   * this returns.
   */
  public void resolveServices(String name, Consumer<ServiceAnswer> onAnswer) {
    try {
      ServiceLookup.resolve(control, conf(), name, onAnswer);
    } catch (UnknownHostException | IllegalArgumentException noServer) {
      onAnswer.accept(
          new ServiceAnswer.Failed(
              new UpstreamProblem(
                  UpstreamProblem.Kind.DNS_FAILED, String.valueOf(noServer.getMessage()))));
    }
  }

  private void queryServers(ResolvConf conf, String host, Consumer<Answer> onAnswer) {
    var both =
        new Object() {
          @Nullable FamilyAnswer first;
        };
    FamilyLookup.resolve(
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
    FamilyLookup.resolve(
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
    return answer.hasAddresses() ? answer : null;
  }

  private static Answer answer(List<InetAddress> ipv4, List<InetAddress> ipv6) {
    return new Answer(
        FamilyAnswer.of(ipv4, Integer.MAX_VALUE), FamilyAnswer.of(ipv6, Integer.MAX_VALUE));
  }
}
