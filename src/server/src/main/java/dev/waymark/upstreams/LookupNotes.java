package dev.waymark.upstreams;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.resolver.dns.DnsNameResolverException;
import io.netty.resolver.dns.DnsNameResolverTimeoutException;
import io.netty.resolver.dns.DnsQueryLifecycleObserver;
import io.netty.resolver.dns.DnsQueryLifecycleObserverFactory;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What name servers said to the queries of one question, since Netty's exception only has the last
 * of it: a name is not there if a server says so, and unknown if all of them fail. Confined to the
 * control thread.
 */
final class LookupNotes implements DnsQueryLifecycleObserverFactory {
  private static final UpstreamProblem NO_SUCH_NAME =
      new UpstreamProblem(Kind.NO_SUCH_NAME, "the name does not exist (NXDOMAIN)");
  private static final UpstreamProblem NO_ADDRESS =
      new UpstreamProblem(Kind.NO_ADDRESS, "the name has no address");

  private static final String WITHIN = " within " + FamilyLookup.QUERY_TIMEOUT_MS / 1_000 + " s";

  /** Of one name: with search domains there are several. */
  private static final class Said {
    /** That it is not there; holds unless addresses were found. */
    @Nullable UpstreamProblem denial;

    /** Of the last server that failed. */
    @Nullable String failure;
  }

  private final Map<String, Said> byName = new LinkedHashMap<>();
  private @Nullable String nonsense;

  @Override
  public DnsQueryLifecycleObserver newDnsQueryLifecycleObserver(DnsQuestion question) {
    return new Query(said(question));
  }

  /** A whole message came. */
  void onAnswer(SocketAddress server, String name, int rcode) {
    Said said = said(name);
    if (rcode == DnsResponseCode.NOERROR.intValue()) {
      said.denial = NO_ADDRESS;
    } else if (rcode == DnsResponseCode.NXDOMAIN.intValue()) {
      said.denial = said.denial == null ? NO_SUCH_NAME : said.denial;
    } else if (rcode == DnsResponseCode.REFUSED.intValue()) {
      said.failure = text(server) + " refuses to answer (REFUSED)";
    } else {
      said.failure = text(server) + " answers with the error " + label(rcode);
    }
  }

  /** The end of a message is missing. */
  void onCutShort(SocketAddress server, String name) {
    said(name).failure = "the answer of " + text(server) + " is cut short";
  }

  /** The answer is to be fetched over TCP; this holds where it cannot be. */
  void onTruncated(SocketAddress server, String name) {
    said(name).failure =
        "the answer of " + text(server) + " does not fit UDP, and there is none over TCP";
  }

  /** What came is not even the beginning of an answer. */
  void onNonsense(SocketAddress server) {
    nonsense = "what " + text(server) + " answers is not DNS";
  }

  /** Why nothing was found. */
  FamilyAnswer failure(Throwable cause) {
    UpstreamProblem denial = null;
    for (Said said : byName.values()) {
      if (said.denial == null && said.failure != null) {
        return FamilyAnswer.failed(said.failure);
      }
      // A name that is there without an address says more than one that is not.
      denial = denial == null || said.denial == NO_ADDRESS ? said.denial : denial;
    }
    return denial != null
        ? FamilyAnswer.none(denial)
        : FamilyAnswer.failed("the question cannot be asked: " + words(cause));
  }

  private Said said(DnsQuestion question) {
    return said(question.name().toLowerCase(Locale.ROOT));
  }

  private Said said(String name) {
    return byName.computeIfAbsent(name, _ -> new Said());
  }

  private static String text(@Nullable SocketAddress server) {
    return server instanceof InetSocketAddress inet
        ? "name server " + UpstreamAddress.format(inet.getAddress(), inet.getPort())
        : "a name server";
  }

  private static String words(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }

  /** One query to one server after the other. */
  private final class Query implements DnsQueryLifecycleObserver {
    private Said said;
    private @Nullable InetSocketAddress server;

    Query(Said said) {
      this.said = said;
    }

    @Override
    public void queryWritten(InetSocketAddress address, ChannelFuture future) {
      server = address;
    }

    @Override
    public void queryCancelled(int queriesRemaining) {}

    @Override
    public DnsQueryLifecycleObserver queryRedirected(List<InetSocketAddress> servers) {
      return this;
    }

    @Override
    public DnsQueryLifecycleObserver queryCNAMEd(DnsQuestion next) {
      said = said(next);
      return this;
    }

    @Override
    public DnsQueryLifecycleObserver queryNoAnswer(DnsResponseCode code) {
      return this;
    }

    /** Answers are noted when they come; this is for what did not come. */
    @Override
    public void queryFailed(Throwable cause) {
      if (cause instanceof DnsNameResolverTimeoutException) {
        said.failure = nonsense != null ? nonsense : "no answer from " + text(server) + WITHIN;
      } else if (cause instanceof DnsNameResolverException) {
        said.failure = text(server) + " cannot be asked: " + words(cause);
      }
    }

    @Override
    public void querySucceed() {}
  }

  /** "SERVFAIL", without the number that Netty puts behind it. */
  private static String label(int rcode) {
    String text = DnsResponseCode.valueOf(rcode).toString().toUpperCase(Locale.ROOT);
    int number = text.indexOf('(');
    return number > 0 ? text.substring(0, number) : text;
  }
}
