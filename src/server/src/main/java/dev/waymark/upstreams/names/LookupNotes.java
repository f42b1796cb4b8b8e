package dev.waymark.upstreams.names;

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
 * Records how name servers responded to the queries of one lookup, because Netty's exception holds
 * only the last response. A name does not exist if any server says so; nothing is known if all of
 * them fail. Confined to the control thread.
 */
final class LookupNotes implements DnsQueryLifecycleObserverFactory {
  private static final UpstreamProblem NO_SUCH_NAME =
      new UpstreamProblem(Kind.NO_SUCH_NAME, "the name does not exist (NXDOMAIN)");

  private static final String WITHIN = " within " + LookupResolver.QUERY_TIMEOUT_MS / 1_000 + " s";

  /** The responses for one name: with search domains, a lookup tries several names. */
  private static final class NameStatus {
    /**
     * A server's answer that there is no such name or address; stands unless addresses are found.
     */
    @Nullable UpstreamProblem denial;

    /** The failure of the last server that failed. */
    @Nullable String failure;
  }

  private final UpstreamProblem noRecord;
  private final Map<String, NameStatus> byName = new LinkedHashMap<>();
  private @Nullable String notDns;

  /**
   * @param noRecord what it means that the name exists, but has no record of the wanted type
   */
  LookupNotes(UpstreamProblem noRecord) {
    this.noRecord = noRecord;
  }

  @Override
  public DnsQueryLifecycleObserver newDnsQueryLifecycleObserver(DnsQuestion question) {
    return new Query(status(question));
  }

  /** Records a complete message. */
  void onAnswer(SocketAddress server, String name, int rcode) {
    NameStatus status = status(name);
    if (rcode == DnsResponseCode.NOERROR.intValue()) {
      status.denial = noRecord;
    } else if (rcode == DnsResponseCode.NXDOMAIN.intValue()) {
      status.denial = status.denial == null ? NO_SUCH_NAME : status.denial;
    } else if (rcode == DnsResponseCode.REFUSED.intValue()) {
      status.failure = describe(server) + " refused the query (REFUSED)";
    } else {
      status.failure = describe(server) + " answered " + label(rcode);
    }
  }

  /** Records a message whose end is missing. */
  void onIncomplete(SocketAddress server, String name) {
    status(name).failure = "the answer from " + describe(server) + " is incomplete";
  }

  /** Records an answer that has to be fetched over TCP; the failure stands if that fails. */
  void onTruncated(SocketAddress server, String name) {
    status(name).failure =
        "the answer from " + describe(server) + " was truncated, and there was none over TCP";
  }

  /** Records a message that is not even the beginning of an answer. */
  void onNotDns(SocketAddress server) {
    notDns = "the answer from " + describe(server) + " is not DNS";
  }

  /** Returns why no address was found. */
  FamilyAnswer failure(Throwable cause) {
    UpstreamProblem denial = null;
    for (NameStatus status : byName.values()) {
      if (status.denial == null && status.failure != null) {
        return FamilyAnswer.failed(status.failure);
      }
      // A name without addresses says more than a name that does not exist.
      denial = denial == null || status.denial == noRecord ? status.denial : denial;
    }
    return denial != null
        ? FamilyAnswer.none(denial)
        : FamilyAnswer.failed("the name cannot be looked up: " + rootMessage(cause));
  }

  private NameStatus status(DnsQuestion question) {
    return status(question.name().toLowerCase(Locale.ROOT));
  }

  private NameStatus status(String name) {
    return byName.computeIfAbsent(name, _ -> new NameStatus());
  }

  private static String describe(@Nullable SocketAddress server) {
    return server instanceof InetSocketAddress inet
        ? "name server " + UpstreamAddress.format(inet.getAddress(), inet.getPort())
        : "a name server";
  }

  private static String rootMessage(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }

  /** A query, which goes to one server after another. */
  private final class Query implements DnsQueryLifecycleObserver {
    private NameStatus status;
    private @Nullable InetSocketAddress server;

    Query(NameStatus status) {
      this.status = status;
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
      status = status(next);
      return this;
    }

    @Override
    public DnsQueryLifecycleObserver queryNoAnswer(DnsResponseCode code) {
      return this;
    }

    /** Records a missing answer; {@link AnswerFilter} records those that arrive. */
    @Override
    public void queryFailed(Throwable cause) {
      if (cause instanceof DnsNameResolverTimeoutException) {
        status.failure = notDns != null ? notDns : "no answer from " + describe(server) + WITHIN;
      } else if (cause instanceof DnsNameResolverException) {
        status.failure = describe(server) + " cannot be queried: " + rootMessage(cause);
      }
    }

    @Override
    public void querySucceed() {}
  }

  /** Returns, for example, "SERVFAIL", without the number that Netty appends. */
  private static String label(int rcode) {
    String text = DnsResponseCode.valueOf(rcode).toString().toUpperCase(Locale.ROOT);
    int number = text.indexOf('(');
    return number > 0 ? text.substring(0, number) : text;
  }
}
