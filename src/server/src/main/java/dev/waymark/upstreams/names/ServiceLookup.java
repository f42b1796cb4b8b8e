package dev.waymark.upstreams.names;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.ServiceAnswer.Service;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/** Asks once for the SRV records of an absolute name. Confined to the control thread. */
final class ServiceLookup {
  private static final UpstreamProblem NO_RECORD =
      new UpstreamProblem(Kind.NO_ADDRESS, "the name has no SRV record");

  private final LookupNotes notes = new LookupNotes(NO_RECORD);
  private final DnsNameResolver resolver;
  private final Consumer<ServiceAnswer> onAnswer;

  private ServiceLookup(ControlLoop control, ResolvConf conf, Consumer<ServiceAnswer> onAnswer) {
    this.resolver = LookupResolver.builder(control, conf, notes).build();
    this.onAnswer = onAnswer;
  }

  /**
   * Asks and calls back once, on the control thread, perhaps before this returns.
   *
   * @param conf names at least one server
   */
  static void resolve(
      ControlLoop control, ResolvConf conf, String name, Consumer<ServiceAnswer> onAnswer) {
    DnsQuestion question = new DefaultDnsQuestion(name, DnsRecordType.SRV);
    var lookup = new ServiceLookup(control, conf, onAnswer);
    lookup.resolver.resolveAll(question).addListener(lookup::onAnswered);
  }

  private void onAnswered(Future<? super List<DnsRecord>> done) {
    resolver.close();
    if (!done.isSuccess()) {
      onAnswer.accept(
          new ServiceAnswer.Failed(
              Objects.requireNonNull(notes.failure(done.cause()).problem(), "it failed")));
      return;
    }
    @SuppressWarnings("unchecked") // the type of resolveAll
    List<DnsRecord> records = (List<DnsRecord>) done.getNow();
    List<Service> services = new ArrayList<>();
    long ttlSeconds = Integer.MAX_VALUE;
    for (DnsRecord each : records) {
      try {
        if (each instanceof DnsRawRecord raw) {
          services.add(service(raw.content()));
          ttlSeconds = Math.min(ttlSeconds, each.timeToLive());
        }
      } catch (CorruptedFrameException | IndexOutOfBoundsException malformed) {
        // It costs only itself; without any other, it is what went wrong.
      } finally {
        ReferenceCountUtil.release(each);
      }
    }
    onAnswer.accept(
        services.isEmpty()
            ? new ServiceAnswer.Failed(
                new UpstreamProblem(Kind.DNS_FAILED, "the SRV records are malformed"))
            : new ServiceAnswer.Found(services, ttlSeconds));
  }

  /** Its name may be compressed, although RFC 2782 forbids it: the buffer is the whole message. */
  private static Service service(ByteBuf content) {
    ByteBuf rest = content.duplicate();
    return new Service(
        rest.readUnsignedShort(),
        rest.readUnsignedShort(),
        rest.readUnsignedShort(),
        DefaultDnsRecordDecoder.decodeName(rest));
  }
}
