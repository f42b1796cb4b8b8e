package dev.waymark.tools.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A connection: sends requests as they are admitted and the window allows, and checks every byte
 * that comes back. Confined to its event loop.
 */
final class BenchConnection extends ChannelInboundHandlerAdapter {
  private final Plan plan;
  private final Owner owner;
  private final LoopBuffers buffers;
  private final int number;
  private final long[] startNs;
  private long connectStartNs;
  private @Nullable Channel channel;
  private @Nullable String failure;
  private boolean isOpen;
  private boolean isEnded;
  private boolean isClosing;

  /** Counts of requests: how many may be sent, were sent, and were answered completely. */
  private long admitted;

  private long sent;
  private long answered;

  /**
   * Byte offsets: the end of the last request sent, how far it is written, and what has come back.
   */
  private long endOffset;

  private long writtenOffset;
  private long receivedOffset;

  /** Where the oldest pending reply ends. */
  private long awaitedOffset;

  BenchConnection(Plan plan, Owner owner, LoopBuffers buffers, int number) {
    this.plan = plan;
    this.owner = owner;
    this.buffers = buffers;
    this.number = number;
    this.startNs = new long[plan.options().window()];
    this.awaitedOffset = plan.sizes().of(number, 0);
  }

  int number() {
    return number;
  }

  /** When connecting began. */
  long connectStartNs() {
    return connectStartNs;
  }

  boolean isOpen() {
    return isOpen;
  }

  /** Whether the connection has ever been open. */
  boolean wasOpen() {
    return channel != null;
  }

  /** How many requests were sent and are not completely answered. */
  long inFlight() {
    return sent - answered;
  }

  long sent() {
    return sent;
  }

  long admitted() {
    return admitted;
  }

  /** When the oldest request in flight counts as sent. Only valid while there is one. */
  long oldestStartNs() {
    return startNs[(int) (answered % startNs.length)];
  }

  // --- called by the owner ---

  void onConnecting(long nowNs) {
    connectStartNs = nowNs;
  }

  /** Sets how many requests may be sent in total. */
  void admit(long requests) {
    admitted = requests;
    if (isOpen) {
      pump();
    }
  }

  /** Starts no more requests. */
  void admitNoMore() {
    admitted = sent;
  }

  void close() {
    isClosing = true;
    if (channel != null) {
      channel.close();
    }
  }

  // --- called by the channel ---

  /** Called when the connection could not be opened. */
  void onRefused(String why) {
    end(why);
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (isClosing) {
      context.close();
      return;
    }
    channel = context.channel();
    isOpen = true;
    owner.onOpen(this);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    try {
      if (isOpen && !isClosing) {
        onBytes(bytes.internalNioBuffer(bytes.readerIndex(), bytes.readableBytes()));
      }
    } finally {
      bytes.release();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (context.channel().isWritable() && isOpen) {
      pump();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    failure = SocketErrors.reason(cause);
    context.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (isClosing) {
      end(null);
      return;
    }
    String why = failure == null ? "closed by the other side" : failure;
    end(
        String.format(
            Locale.ROOT,
            "connection %d (%s): %s, after %d of %d bytes came back, requests unanswered: %d",
            number,
            context.channel().localAddress(),
            why,
            receivedOffset,
            endOffset,
            inFlight()));
  }

  private void end(@Nullable String why) {
    if (isEnded) {
      return;
    }
    isEnded = true;
    isOpen = false;
    owner.onEnd(this, why);
  }

  private void onBytes(ByteBuffer in) {
    int wrong = plan.payload().mismatch(in, number, receivedOffset);
    if (wrong >= 0) {
      onMismatch(in, wrong);
      return;
    }
    receivedOffset += in.remaining();
    if (receivedOffset > writtenOffset) {
      plan.tally().wrong(Corruption.excess(number, writtenOffset));
      close();
      return;
    }
    if (answered < sent && receivedOffset >= awaitedOffset) {
      answerAll(plan.nowNs());
      pump();
    }
  }

  private void onMismatch(ByteBuffer in, int at) {
    long offset = receivedOffset + at - in.position();
    plan.tally()
        .wrong(
            Corruption.find(plan.payload(), in, at, number, offset, writtenOffset, plan.numbers()));
    close();
  }

  private void answerAll(long nowNs) {
    while (answered < sent && receivedOffset >= awaitedOffset) {
      long start = oldestStartNs();
      int size = plan.sizes().of(number, answered);
      answered++;
      awaitedOffset += plan.sizes().of(number, answered);
      owner.onAnswer(this, start, nowNs, size);
    }
  }

  // --- sending ---

  private void pump() {
    if (isClosing || channel == null) {
      return;
    }
    if (sent < admitted && inFlight() < startNs.length) {
      begin(plan.nowNs());
    }
    boolean isWritten = false;
    while (writtenOffset < endOffset && channel.isWritable()) {
      write(channel, (int) Math.min(LoopBuffers.WRITE_BYTES, endOffset - writtenOffset));
      isWritten = true;
    }
    if (isWritten) {
      channel.flush();
    }
  }

  private void begin(long nowNs) {
    while (sent < admitted && inFlight() < startNs.length) {
      startNs[(int) (sent % startNs.length)] = owner.startNs(this, sent, nowNs);
      endOffset += plan.sizes().of(number, sent);
      sent++;
    }
  }

  private void write(Channel to, int length) {
    ByteBuf bytes = buffers.forWriting(to.alloc(), length);
    plan.payload().fill(bytes.internalNioBuffer(0, length), number, writtenOffset);
    bytes.writerIndex(length);
    writtenOffset += length;
    to.write(bytes, to.voidPromise());
  }
}
