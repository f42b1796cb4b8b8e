package dev.waymark.upstreams.names;

import dev.waymark.upstreams.control.ControlLoop;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.resolver.HostsFileEntriesResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverChannelStrategy;
import io.netty.resolver.dns.DnsServerAddressStreamProvider;
import io.netty.resolver.dns.DnsServerAddresses;
import io.netty.resolver.dns.NoopAuthoritativeDnsServerCache;

/**
 * Builds a Netty resolver for one lookup, which handles several servers, CNAMEs, TCP for truncated
 * answers and, for addresses, search domains. docs/decisions/0026 explains its settings. Stateless.
 */
final class LookupResolver {
  static final long QUERY_TIMEOUT_MS = 2_000;

  /** Covers all servers, search domains and CNAMEs of one lookup. */
  private static final int QUERIES_MAX = 16;

  private static final int UDP_PAYLOAD_BYTES = 4_096;
  private static final int TCP_MESSAGE_BYTES_MAX = 65_535;
  private static final HostsFileEntriesResolver NO_HOSTS_FILE = (name, types) -> null;

  private LookupResolver() {}

  /**
   * Returns a builder, to be completed by what is looked up.
   *
   * @param conf names at least one server
   * @param notes of this lookup
   */
  static DnsNameResolverBuilder builder(ControlLoop control, ResolvConf conf, LookupNotes notes) {
    return new DnsNameResolverBuilder(control.eventLoop())
        .datagramChannelFactory(
            udp(new ReflectiveChannelFactory<>(control.datagramChannelType()), notes))
        .socketChannelFactory(
            tcp(new ReflectiveChannelFactory<>(control.socketChannelType()), notes), false)
        .datagramChannelStrategy(DnsNameResolverChannelStrategy.ChannelPerResolution)
        .hostsFileEntriesResolver(NO_HOSTS_FILE)
        .nameServerProvider(servers(conf))
        .searchDomains(conf.search())
        .ndots(conf.ndots())
        .queryTimeoutMillis(QUERY_TIMEOUT_MS)
        .maxQueriesPerResolve(QUERIES_MAX)
        .maxPayloadSize(UDP_PAYLOAD_BYTES)
        .authoritativeDnsServerCache(NoopAuthoritativeDnsServerCache.INSTANCE)
        .dnsQueryLifecycleObserverFactory(notes);
  }

  private static <C extends Channel> ChannelFactory<C> udp(
      ChannelFactory<C> channels, LookupNotes notes) {
    return () -> {
      C channel = channels.newChannel();
      channel.pipeline().addFirst(new AnswerFilter(notes));
      return channel;
    };
  }

  private static <C extends Channel> ChannelFactory<C> tcp(
      ChannelFactory<C> channels, LookupNotes notes) {
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
}
