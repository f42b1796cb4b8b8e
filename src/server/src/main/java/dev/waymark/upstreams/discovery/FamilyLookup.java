package dev.waymark.upstreams.discovery;

import dev.waymark.upstreams.control.ControlLoop;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoop;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.resolver.HostsFileEntriesResolver;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsCache;
import io.netty.resolver.dns.DnsCacheEntry;
import io.netty.resolver.dns.DnsCnameCache;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverChannelStrategy;
import io.netty.resolver.dns.DnsServerAddressStreamProvider;
import io.netty.resolver.dns.DnsServerAddresses;
import io.netty.resolver.dns.NoopAuthoritativeDnsServerCache;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Resolves a name once, in one address family, with a Netty resolver of its own that handles search
 * domains, several servers, CNAMEs, and TCP for truncated answers. docs/decisions/0026 explains its
 * settings. Confined to the control thread.
 *
 * <p>The resolver reports TTLs only to its caches. So its "caches" here keep nothing but the
 * smallest TTL, including those of CNAMEs on the way.
 */
final class FamilyLookup {
  static final long QUERY_TIMEOUT_MS = 2_000;

  /** Covers all servers, search domains and CNAMEs of one lookup. */
  private static final int QUERIES_MAX = 16;

  private static final int UDP_PAYLOAD_BYTES = 4_096;
  private static final int TCP_MESSAGE_BYTES_MAX = 65_535;
  private static final HostsFileEntriesResolver NO_HOSTS_FILE = (name, types) -> null;

  private final Consumer<FamilyAnswer> onAnswer;
  private final TtlNotes ttls = new TtlNotes();
  private final LookupNotes notes = new LookupNotes();
  private final DnsNameResolver resolver;

  private FamilyLookup(
      ControlLoop control,
      ResolvedAddressTypes family,
      ResolvConf conf,
      Consumer<FamilyAnswer> onAnswer) {
    this.onAnswer = onAnswer;
    this.resolver =
        new DnsNameResolverBuilder(control.eventLoop())
            .datagramChannelFactory(
                udp(new ReflectiveChannelFactory<>(control.datagramChannelType())))
            .socketChannelFactory(
                tcp(new ReflectiveChannelFactory<>(control.socketChannelType())), false)
            .datagramChannelStrategy(DnsNameResolverChannelStrategy.ChannelPerResolution)
            .resolvedAddressTypes(family)
            .hostsFileEntriesResolver(NO_HOSTS_FILE)
            .nameServerProvider(servers(conf))
            .searchDomains(conf.search())
            .ndots(conf.ndots())
            .queryTimeoutMillis(QUERY_TIMEOUT_MS)
            .maxQueriesPerResolve(QUERIES_MAX)
            .maxPayloadSize(UDP_PAYLOAD_BYTES)
            .resolveCache(ttls)
            .cnameCache(ttls)
            .authoritativeDnsServerCache(NoopAuthoritativeDnsServerCache.INSTANCE)
            .dnsQueryLifecycleObserverFactory(notes)
            .build();
  }

  /**
   * Resolves and calls back once, on the control thread, perhaps before this returns.
   *
   * @param conf names at least one server
   */
  static void resolve(
      ControlLoop control,
      ResolvedAddressTypes family,
      ResolvConf conf,
      String host,
      Consumer<FamilyAnswer> onAnswer) {
    var lookup = new FamilyLookup(control, family, conf, onAnswer);
    lookup.resolver.resolveAll(host).addListener(lookup::onAnswered);
  }

  private void onAnswered(Future<? super List<InetAddress>> done) {
    resolver.close();
    @SuppressWarnings("unchecked") // the type of resolveAll
    List<InetAddress> found = (List<InetAddress>) done.getNow();
    onAnswer.accept(
        done.isSuccess()
            ? FamilyAnswer.of(found, ttls.smallestSeconds)
            : notes.failure(done.cause()));
  }

  private <C extends Channel> ChannelFactory<C> udp(ChannelFactory<C> channels) {
    return () -> {
      C channel = channels.newChannel();
      channel.pipeline().addFirst(new AnswerFilter(notes));
      return channel;
    };
  }

  private <C extends Channel> ChannelFactory<C> tcp(ChannelFactory<C> channels) {
    return () -> {
      C channel = channels.newChannel();
      int length = AnswerFilter.TCP_LENGTH_BYTES;
      channel
          .pipeline()
          .addFirst(
              new LengthFieldBasedFrameDecoder(
                  TCP_MESSAGE_BYTES_MAX + length,
                  /* lengthFieldOffset= */ 0,
                  length,
                  /* lengthAdjustment= */ 0,
                  /* initialBytesToStrip= */ 0),
              new AnswerFilter(notes));
      return channel;
    };
  }

  private static DnsServerAddressStreamProvider servers(ResolvConf conf) {
    DnsServerAddresses addresses =
        conf.isRotating()
            ? DnsServerAddresses.shuffled(conf.servers())
            : DnsServerAddresses.sequential(conf.servers());
    return _ -> addresses.stream();
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
