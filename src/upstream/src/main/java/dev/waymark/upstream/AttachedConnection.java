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
 * The thread-safe view of an {@link Attachment} for handlers and other threads: checks their
 * arguments, passes their calls into the lane in order, and caches the state that they may query.
 * The attachment calls the {@code on…} methods inside the lane.
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
   * @param isHalfClosed whether a former owner has ended the replies
   * @param deliveredOffset the offset at which the client's stream resumes
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

  /** Called when client bytes up to this offset are delivered to the handler. */
  void onDelivered(long endOffset) {
    deliveredOffset = endOffset;
  }

  /** Called with the current estimate of how far ahead of the client replies may run. */
  void onReplyWindow(long bytes) {
    if (bytes != replyWindowBytes) {
      replyWindowBytes = bytes;
    }
  }

  /** Called when the reply queue has changed. */
  void onQueue(ReplyQueue replies) {
    isWaiting = replies.isWaiting();
    waitingBytes = replies.waitingBytes();
  }

  /** Called when the attachment has ended. */
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
    long queueMax =
        (long) options.queueBytesMax() - ReplyQueue.OVERHEAD_BYTES - SizeLimits.CONTEXT_BYTES_MAX;
    long window = replyWindowBytes;
    // The reply window is unknown until there has been any room.
    return (int) (window == 0 ? queueMax : Math.min(queueMax, window));
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
    inOrder(attachment::onReleaseRequested);
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
              + " may only be sent by bridges; use DONE, ABORT, BUSY, NOT_HERE or SHUTTING_DOWN");
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

  /** Whether replies from other threads are still on their way to the attachment. */
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
      throw new IllegalStateException("reply after halfClose, connection " + open.mark());
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

  /** Sends a reply after everything that was sent before. */
  private void mail(ByteBuf owned, long consumed, byte @Nullable [] context, boolean whole) {
    long costBytes = costBytes(owned, context);
    checkRoom(owned, costBytes + mailboxBytes.get() + waitingBytes);
    mailboxBytes.addAndGet(costBytes);
    lane.executeLast(() -> {
      mailboxBytes.addAndGet(-costBytes);
      attachment.add(owned, consumed, context, whole, false, 0);
    });
  }

  /** Runs a task in the lane, after the replies that other threads have sent. */
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
          + " bytes exceeds the maximum of "
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
