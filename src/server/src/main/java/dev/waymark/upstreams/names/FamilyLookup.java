package dev.waymark.upstreams.names;

import dev.waymark.upstreams.control.ControlLoop;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsCache;
import io.netty.resolver.dns.DnsCacheEntry;
import io.netty.resolver.dns.DnsCnameCache;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Resolves a name once, in one address family, with a {@link LookupResolver} of its own. Confined
 * to the control thread.
 *
 * <p>The resolver reports TTLs only to its caches. So its "caches" here keep nothing but the
 * smallest TTL, including those of CNAMEs on the way.
 */
final class FamilyLookup {
  private final Consumer<FamilyAnswer> onAnswer;
  private final TtlNotes ttls = new TtlNotes();
  private final LookupNotes notes = new LookupNotes(FamilyAnswer.NO_ADDRESS);
  private final DnsNameResolver resolver;

  private FamilyLookup(
      ControlLoop control,
      ResolvedAddressTypes family,
      ResolvConf conf,
      Consumer<FamilyAnswer> onAnswer) {
    this.onAnswer = onAnswer;
    this.resolver =
        LookupResolver.builder(control, conf, notes)
            .resolvedAddressTypes(family)
            .resolveCache(ttls)
            .cnameCache(ttls)
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
