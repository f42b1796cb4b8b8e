package dev.waymark.pool;

import io.netty.channel.EventLoop;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.resolver.HostsFileEntriesResolver;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsCache;
import io.netty.resolver.dns.DnsCacheEntry;
import io.netty.resolver.dns.DnsCnameCache;
import io.netty.resolver.dns.DnsErrorCauseException;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverException;
import io.netty.resolver.dns.NoopAuthoritativeDnsServerCache;
import io.netty.resolver.dns.SingletonDnsServerAddressStreamProvider;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * DNS questions of one address family, with Netty's resolver: search domains, several servers,
 * CNAMEs, TCP for truncated answers.
 *
 * <p>The resolver tells the TTL of records only to its caches, so the "caches" given to it keep
 * nothing and note the smallest TTL, that of CNAMEs on the way included. Confined to the control
 * thread.
 */
final class FamilyLookup implements AutoCloseable {
  private static final long QUERY_TIMEOUT_MS = 2_000;
  private static final HostsFileEntriesResolver NO_HOSTS_FILE = (name, types) -> null;

  private final DnsNameResolver resolver;
  private final TtlNotes ttls = new TtlNotes();

  /**
   * @param server null: those of /etc/resolv.conf
   */
  FamilyLookup(
      ControlLoop control, ResolvedAddressTypes family, @Nullable InetSocketAddress server) {
    DnsNameResolverBuilder builder =
        new DnsNameResolverBuilder(control.eventLoop())
            .datagramChannelType(control.datagramChannelType())
            .socketChannelType(control.socketChannelType())
            .resolvedAddressTypes(family)
            .hostsFileEntriesResolver(NO_HOSTS_FILE)
            .queryTimeoutMillis(QUERY_TIMEOUT_MS)
            .resolveCache(ttls)
            .cnameCache(ttls)
            .authoritativeDnsServerCache(NoopAuthoritativeDnsServerCache.INSTANCE);
    if (server != null) {
      builder.nameServerProvider(new SingletonDnsServerAddressStreamProvider(server));
    }
    resolver = builder.build();
  }

  /** Asks and calls back once, on the control thread. */
  void ask(String host, Consumer<FamilyAnswer> onAnswer) {
    ttls.smallestSeconds = Integer.MAX_VALUE;
    resolver
        .resolveAll(host)
        .addListener((Future<List<InetAddress>> done) -> onAnswer.accept(answer(done)));
  }

  private FamilyAnswer answer(Future<List<InetAddress>> done) {
    Throwable cause = done.cause();
    return cause == null ? FamilyAnswer.of(done.getNow(), ttls.smallestSeconds) : failure(cause);
  }

  private static FamilyAnswer failure(Throwable cause) {
    for (Throwable c = cause; c != null; c = c.getCause()) {
      if (c instanceof DnsErrorCauseException error) {
        boolean isNoSuchName = error.getCode().equals(DnsResponseCode.NXDOMAIN);
        return isNoSuchName
            ? FamilyAnswer.none("NXDOMAIN")
            : FamilyAnswer.failed(label(error.getCode()));
      }
      if (c instanceof DnsNameResolverException) {
        return FamilyAnswer.failed("no answer from the name server (" + c.getMessage() + ")");
      }
    }
    return cause.getCause() == null
        ? FamilyAnswer.none("no address in the answer")
        : FamilyAnswer.failed(cause.toString());
  }

  private static String label(DnsResponseCode code) {
    return code.equals(DnsResponseCode.SERVFAIL) ? "SERVFAIL" : code.toString();
  }

  @Override
  public void close() {
    resolver.close();
  }

  private static final class TtlNotes implements DnsCache, DnsCnameCache {
    long smallestSeconds = Integer.MAX_VALUE;

    private void note(long ttlSeconds) {
      smallestSeconds = Math.min(smallestSeconds, ttlSeconds);
    }

    @Override
    public DnsCacheEntry cache(
        String host,
        DnsRecord[] additionals,
        InetAddress address,
        long ttlSeconds,
        EventLoop loop) {
      note(ttlSeconds);
      return new NotKept(address, null);
    }

    @Override
    public DnsCacheEntry cache(
        String host, DnsRecord[] additionals, Throwable cause, EventLoop loop) {
      return new NotKept(null, cause);
    }

    @Override
    public void cache(String host, String alias, long ttlSeconds, EventLoop loop) {
      note(ttlSeconds);
    }

    @Override
    public List<? extends DnsCacheEntry> get(String host, DnsRecord[] additionals) {
      return List.of();
    }

    @Override
    public @Nullable String get(String host) {
      return null;
    }

    @Override
    public void clear() {}

    @Override
    public boolean clear(String host) {
      return false;
    }
  }

  private record NotKept(@Nullable InetAddress address, @Nullable Throwable cause)
      implements DnsCacheEntry {}
}
