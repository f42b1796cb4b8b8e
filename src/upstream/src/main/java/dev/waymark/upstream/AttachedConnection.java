package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An {@link Attachment} as handlers and other threads see it: checks what they pass in, takes it
 * into the lane in order, and keeps copies of what they may ask for. Thread-safe; the attachment
 * calls the {@code on…} methods inside the lane.
 */
final class AttachedConnection implements UpstreamConnection {
  private final Attachment attachment;
  private final ServerLane lane;
  private final UpstreamOptions options;
  private final int epoch;
  private final Open open;
  private final Hello hello;

  /** The cost of replies from other threads that have not reached the queue yet. */
  private final AtomicLong mailboxBytes = new AtomicLong();

  private volatile boolean isHalfClosed;
  private volatile boolean isEnded;
  private volatile boolean isWaiting;
  private volatile long waitingBytes;
  private volatile long replyWindowBytes;
  private volatile long deliveredOffset;

  /**
   * @param isHalfClosed a former owner has ended the replies
   * @param deliveredOffset where the client's stream goes on
   */
  AttachedConnection(
      Attachment attachment,
      UpstreamOptions options,
      Open open,
      Hello hello,
      boolean isHalfClosed,
      long deliveredOffset) {
    this.attachment = attachment;
    this.lane = attachment.lane();
    this.epoch = attachment.epoch();
    this.options = options;
    this.open = open;
    this.hello = hello;
    this.isHalfClosed = isHalfClosed;
    this.deliveredOffset = deliveredOffset;
  }

  // --- inputs, inside the lane ---

  /** The handler is given the client's bytes up to this offset. */
  void onDelivered(long endOffset) {
    deliveredOffset = endOffset;
  }

  /** How far ahead of the client replies may run. */
  void onReplyWindow(long bytes) {
    if (bytes != replyWindowBytes) {
      replyWindowBytes = bytes;
    }
  }

  /** The queue of replies has changed. */
  void onQueue(ReplyQueue replies) {
    isWaiting = replies.isWaiting();
    waitingBytes = replies.waitingBytes();
  }

  /** The attachment is over. */
  void onEnd() {
    isEnded = true;
  }

  // --- UpstreamConnection ---

  @Override
  public String mark() {
    return open.mark();
  }

  @Override
  public int epoch() {
    return epoch;
  }

  @Override
  public Open open() {
    return open;
  }

  @Override
  public Hello hello() {
    return hello;
  }

  @Override
  public boolean isOpen() {
    return !isEnded;
  }

  @Override
  public long receivedOffset() {
    return deliveredOffset;
  }

  @Override
  public boolean isWaiting() {
    return isWaiting;
  }

  @Override
  public int commitBytesMax() {
    long most =
        (long) options.queueBytesMax() - ReplyQueue.OVERHEAD_BYTES - SizeLimits.CONTEXT_BYTES_MAX;
    long window = replyWindowBytes;
    // Without any room so far, the size of the reply window is not known.
    return (int) (window == 0 ? most : Math.min(most, window));
  }

  @Override
  public void send(ByteBuf owned) {
    reply(owned, UpstreamFrame.ABSENT, null, false);
  }

  @Override
  public void commit(ByteBuf owned, long consumed) {
    reply(owned, consumed, null, true);
  }

  @Override
  public void commit(ByteBuf owned, long consumed, byte[] context) {
    reply(owned, consumed, context, true);
  }

  @Override
  public void consume(long consumed) {
    reply(Unpooled.EMPTY_BUFFER, consumed, null, true);
  }

  @Override
  public void context(byte[] context) {
    reply(Unpooled.EMPTY_BUFFER, UpstreamFrame.ABSENT, context, true);
  }

  @Override
  public void working() {
    lane.execute(attachment::onWorking);
  }

  @Override
  public void release() {
    inOrder(attachment::onReleaseAsked);
  }

  @Override
  public void halfClose() {
    if (isHalfClosed) {
      return;
    }
    isHalfClosed = true;
    inOrder(() -> attachment.add(Unpooled.EMPTY_BUFFER, UpstreamFrame.ABSENT, null, true, true, 0));
  }

  @Override
  public void close(CloseReason reason) {
    if (reason.endsAttachmentOnly()) {
      throw new IllegalArgumentException(
          reason
              + " is for bridges to say; DONE, ABORT, BUSY, NOT_HERE and SHUTTING_DOWN are usual");
    }
    if (reason == CloseReason.DONE) {
      inOrder(() -> attachment.close(reason));
    } else {
      lane.execute(() -> attachment.close(reason));
    }
  }

  @Override
  public ByteBuf unframed(ByteBuf message) {
    return MessageFraming.strip(open.framing(), message);
  }

  @Override
  public ByteBuf framed(ByteBuf owned) {
    return MessageFraming.putBack(open.framing(), owned);
  }

  // --- outputs, inside the lane ---

  /** Whether replies of other threads have not reached the attachment yet. */
  boolean hasMail() {
    return mailboxBytes.get() != 0;
  }

  // --- transitions ---

  private void reply(ByteBuf owned, long consumed, byte @Nullable [] context, boolean whole) {
    String refusal = refusal(owned.readableBytes(), consumed, context, whole);
    if (refusal != null) {
      owned.release();
      throw new IllegalArgumentException(refusal);
    }
    if (isHalfClosed && owned.isReadable()) {
      owned.release();
      throw new IllegalStateException("a reply after halfClose, connection " + open.mark());
    }
    if (lane.isHeld() && !hasMail()) {
      ReplyQueue replies = attachment.replies();
      if (replies.isWaiting()) {
        checkRoom(owned, costBytes(owned, context) + replies.waitingBytes());
      }
      attachment.add(owned, consumed, context, whole, false, 0);
    } else {
      mail(owned, consumed, context, whole);
    }
  }

  /** Behind everything that was sent before. */
  private void mail(ByteBuf owned, long consumed, byte @Nullable [] context, boolean whole) {
    long costBytes = costBytes(owned, context);
    checkRoom(owned, costBytes + mailboxBytes.get() + waitingBytes);
    mailboxBytes.addAndGet(costBytes);
    lane.executeLast(() -> {
      mailboxBytes.addAndGet(-costBytes);
      attachment.add(owned, consumed, context, whole, false, 0);
    });
  }

  /** Behind the replies of other threads. */
  private void inOrder(Runnable task) {
    if (hasMail()) {
      lane.executeLast(task);
    } else {
      lane.execute(task);
    }
  }

  private void checkRoom(ByteBuf owned, long bytes) {
    if (bytes > options.queueBytesMax() && !isEnded) {
      owned.release();
      throw new IllegalStateException(
          "more than "
              + options.queueBytesMax()
              + " bytes would wait for connection "
              + open.mark()
              + "; wait for onWritable");
    }
  }

  private static long costBytes(ByteBuf payload, byte @Nullable [] context) {
    return (long) ReplyQueue.OVERHEAD_BYTES
        + payload.readableBytes()
        + (context == null ? 0 : context.length);
  }

  private @Nullable String refusal(
      int bytes, long consumed, byte @Nullable [] context, boolean whole) {
    if (whole && bytes > commitBytesMax()) {
      return "a commit of "
          + bytes
          + " bytes is larger than the reply window of "
          + commitBytesMax()
          + " bytes, connection "
          + open.mark();
    }
    if (consumed > receivedOffset()) {
      return "consumed "
          + consumed
          + " is beyond the "
          + receivedOffset()
          + " bytes received, connection "
          + open.mark();
    }
    if (context != null && context.length > SizeLimits.CONTEXT_BYTES_MAX) {
      return "a context of "
          + context.length
          + " bytes is larger than "
          + SizeLimits.CONTEXT_BYTES_MAX
          + ", connection "
          + open.mark();
    }
    return null;
  }
}
