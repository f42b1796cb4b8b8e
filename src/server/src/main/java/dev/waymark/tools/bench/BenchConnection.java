package dev.waymark.tools.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One connection: sends requests as they are admitted and the window allows, and checks every byte
 * that comes back. Confined to its event loop.
 */
final class BenchConnection extends ChannelInboundHandlerAdapter {
  private final Plan plan;
  private final Owner owner;
  private final LoopBuffers buffers;
  private final int number;
  private final long[] startNs;
  private long begunNs;
  private @Nullable Channel channel;
  private @Nullable String failure;
  private boolean isOpen;
  private boolean isEnded;
  private boolean isClosing;

  /** Requests: how many may be sent, were sent, and were answered in full. */
  private long admitted;

  private long sent;
  private long answered;

  /** Bytes: the end of the last request that was sent, how much of it is written, and come back. */
  private long endOffset;

  private long writtenOffset;
  private long receivedOffset;

  /** Where the oldest reply that is awaited ends. */
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

  /** When it was begun to be opened. */
  long begunNs() {
    return begunNs;
  }

  boolean isOpen() {
    return isOpen;
  }

  /** Whether its owner was told that it is open. */
  boolean wasOpen() {
    return channel != null;
  }

  /** Requests that were sent and not answered in full. */
  long underWay() {
    return sent - answered;
  }

  long sent() {
    return sent;
  }

  long admitted() {
    return admitted;
  }

  /** When the oldest request under way counts as sent; only while there is one. */
  long oldestStartNs() {
    return startNs[(int) (answered % startNs.length)];
  }

  // --- what the owner wants ---

  void onBegin(long nowNs) {
    begunNs = nowNs;
  }

  /** So many requests may be sent in all. */
  void admit(long requests) {
    admitted = requests;
    if (isOpen) {
      pump();
    }
  }

  /** Sends nothing more of what has not begun. */
  void admitNoMore() {
    admitted = sent;
  }

  void close() {
    isClosing = true;
    if (channel != null) {
      channel.close();
    }
  }

  // --- what the socket says ---

  /** It could not be opened. */
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
    failure = Refusals.reason(cause);
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
            "connection %d (%s): %s, after %d of %d bytes had come back, requests unanswered: %d",
            number,
            context.channel().localAddress(),
            why,
            receivedOffset,
            endOffset,
            underWay()));
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
      onWrong(in, wrong);
      return;
    }
    receivedOffset += in.remaining();
    if (receivedOffset > writtenOffset) {
      plan.tally().wrong(Corruption.unasked(number, writtenOffset));
      close();
      return;
    }
    if (answered < sent && receivedOffset >= awaitedOffset) {
      answerAll(plan.nowNs());
      pump();
    }
  }

  private void onWrong(ByteBuffer in, int at) {
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
    if (sent < admitted && underWay() < startNs.length) {
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
    while (sent < admitted && underWay() < startNs.length) {
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
