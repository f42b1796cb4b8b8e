package dev.waymark.upstreams;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.dns.DatagramDnsQuery;
import io.netty.handler.codec.dns.DatagramDnsQueryDecoder;
import io.netty.handler.codec.dns.DatagramDnsResponse;
import io.netty.handler.codec.dns.DatagramDnsResponseEncoder;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRawRecord;
import io.netty.handler.codec.dns.DefaultDnsResponse;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import io.netty.handler.codec.dns.TcpDnsQueryDecoder;
import io.netty.handler.codec.dns.TcpDnsResponseEncoder;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A DNS server on a free loopback port, UDP and TCP, that gives the same answer to every name.
 * Settings may change at any time.
 */
public final class TestDnsServer implements AutoCloseable {
  private static final int PORT_ATTEMPTS = 20;
  private static final int MISSING_BYTES = 3;

  public enum Mode {
    ANSWER,
    TRUNCATE_UDP,
    SILENT,
    SERVFAIL,
    NXDOMAIN,
    REFUSED,
    /** The last three bytes of the answer are missing. */
    INCOMPLETE
  }

  public volatile List<String> addresses = List.of();

  /** The SRV records: priority, weight, port and target. */
  volatile List<String> services = List.of();

  public volatile int ttlSeconds;

  /** Whether each answer starts with a different address, as with real name servers. */
  public volatile boolean isRotating;

  volatile Mode mode = Mode.ANSWER;
  volatile boolean isSilentForIpv6;
  final AtomicInteger ipv4QueryCount = new AtomicInteger();

  private final Channel udp;
  private final Channel tcp;

  public TestDnsServer(EventLoop loop) {
    Channel boundUdp = udp(loop);
    Channel boundTcp = tcp(loop, boundUdp);
    for (int i = 0; i < PORT_ATTEMPTS && boundTcp == null; i++) {
      boundUdp.close().syncUninterruptibly();
      boundUdp = udp(loop);
      boundTcp = tcp(loop, boundUdp);
    }
    udp = boundUdp;
    tcp = Objects.requireNonNull(boundTcp, "no port is free for both UDP and TCP");
  }

  private Channel udp(EventLoop loop) {
    return new Bootstrap()
        .group(loop)
        .channel(NioDatagramChannel.class)
        .handler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel channel) {
                channel
                    .pipeline()
                    .addLast(
                        new Truncator(),
                        new DatagramDnsQueryDecoder(),
                        new DatagramDnsResponseEncoder(),
                        new UdpAnswers());
              }
            })
        .bind("127.0.0.1", 0)
        .syncUninterruptibly()
        .channel();
  }

  /** Binds TCP to the same port; null if it is taken. */
  private @Nullable Channel tcp(EventLoop loop, Channel udp) {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    channel
                        .pipeline()
                        .addLast(
                            new TcpDnsQueryDecoder(),
                            new TcpDnsResponseEncoder(),
                            new TcpAnswers());
                  }
                })
            .bind("127.0.0.1", ((InetSocketAddress) udp.localAddress()).getPort())
            .awaitUninterruptibly();
    return bound.isSuccess() ? bound.channel() : null;
  }

  int port() {
    return ((InetSocketAddress) udp.localAddress()).getPort();
  }

  public String address() {
    return "127.0.0.1:" + port();
  }

  @Override
  public void close() {
    udp.close().syncUninterruptibly();
    tcp.close().syncUninterruptibly();
  }

  private boolean isSilent(DnsQuestion question) {
    boolean isIpv6 = question.type().equals(DnsRecordType.AAAA);
    if (!isIpv6) {
      ipv4QueryCount.incrementAndGet();
    }
    return mode == Mode.SILENT || (isIpv6 && isSilentForIpv6);
  }

  private <R extends DnsResponse> R fill(DnsQuestion question, R response) {
    response.addRecord(
        DnsSection.QUESTION, new DefaultDnsQuestion(question.name(), question.type()));
    switch (mode) {
      case SERVFAIL -> response.setCode(DnsResponseCode.SERVFAIL);
      case NXDOMAIN -> response.setCode(DnsResponseCode.NXDOMAIN);
      case REFUSED -> response.setCode(DnsResponseCode.REFUSED);
      case ANSWER, TRUNCATE_UDP, SILENT, INCOMPLETE -> addAddresses(question, response);
    }
    return response;
  }

  private void addAddresses(DnsQuestion question, DnsResponse response) {
    List<String> all = new ArrayList<>(addresses);
    if (isRotating) {
      Collections.rotate(all, -ipv4QueryCount.get());
    }
    for (String service :
        question.type().equals(DnsRecordType.SRV) ? services : List.<String>of()) {
      response.addRecord(
          DnsSection.ANSWER,
          new DefaultDnsRawRecord(question.name(), DnsRecordType.SRV, ttlSeconds, rdata(service)));
    }
    for (String address : all) {
      byte[] ip = NetUtil.createByteArrayFromIpAddressString(address);
      if (question.type().equals(ip.length == 4 ? DnsRecordType.A : DnsRecordType.AAAA)) {
        response.addRecord(
            DnsSection.ANSWER,
            new DefaultDnsRawRecord(
                question.name(), question.type(), ttlSeconds, Unpooled.wrappedBuffer(ip)));
      }
    }
  }

  /** A target that ends in "!" is cut. */
  private static ByteBuf rdata(String service) {
    String[] words = service.split(" ");
    ByteBuf data = Unpooled.buffer();
    for (int i = 0; i < 3; i++) {
      data.writeShort(Integer.parseInt(words[i]));
    }
    for (String label : words[3].split("\\.")) {
      byte[] bytes = label.getBytes(US_ASCII);
      data.writeByte(bytes.length).writeBytes(bytes);
    }
    return words[3].endsWith("!") ? data : data.writeByte(0);
  }

  private final class Truncator extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      if (mode == Mode.INCOMPLETE) {
        ByteBuf answer = ((DatagramPacket) message).content();
        answer.writerIndex(answer.writerIndex() - MISSING_BYTES);
      }
      context.write(message, promise);
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a void promise reports to the pipeline
  private final class UdpAnswers extends SimpleChannelInboundHandler<DatagramDnsQuery> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramDnsQuery query) {
      DnsQuestion question = query.recordAt(DnsSection.QUESTION);
      if (isSilent(question)) {
        return;
      }
      var response =
          new DatagramDnsResponse(
              /* sender= */ query.recipient(), /* recipient= */ query.sender(), query.id());
      if (mode == Mode.TRUNCATE_UDP) {
        response.addRecord(
            DnsSection.QUESTION, new DefaultDnsQuestion(question.name(), question.type()));
        response.setTruncated(true);
      } else {
        fill(question, response);
      }
      context.writeAndFlush(response, context.voidPromise());
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a void promise reports to the pipeline
  private final class TcpAnswers extends SimpleChannelInboundHandler<DnsQuery> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, DnsQuery query) {
      DnsQuestion question = query.recordAt(DnsSection.QUESTION);
      context.writeAndFlush(
          fill(question, new DefaultDnsResponse(query.id())), context.voidPromise());
    }
  }
}
