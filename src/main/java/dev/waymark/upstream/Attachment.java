package dev.waymark.upstream;

import dev.waymark.core.CloseReason;
import dev.waymark.core.Framing;
import dev.waymark.core.Hello;
import dev.waymark.core.Limits;
import dev.waymark.core.Open;
import dev.waymark.core.Reopen;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection's time at this upstream. The methods of {@link Connection} are thread-safe;
 * everything else is confined to the lane's lock. What comes from a thread without the lock is
 * handed to the lane, see {@link Lane#execute}.
 */
final class Attachment implements Connection, ReplyQueue.Output {
  private static final Logger log = LoggerFactory.getLogger(Attachment.class);
  private static final long ABSENT = -1;

  private final Lane lane;
  private final UpstreamOptions options;
  private final long connection;
  private final int epoch;
  private final Open open;
  private final Hello hello;
  private final ReplyQueue replies;
  private final @Nullable MessageAssembler assembler;

  /** Handed over by other threads, not in `replies` yet. */
  private final AtomicLong mailboxBytes = new AtomicLong();

  private final HandOver handOver;
  private @Nullable ConnectionHandler handler;
  private boolean isBlocked;
  private long consumedOffset;

  /** Up to where the handler got the client's bytes; the rest of a message may have come. */
  private volatile long deliveredOffset;

  private long receivedOffset;
  private volatile boolean isEnded;
  private volatile boolean isEnding;
  private volatile boolean isHalfClosed;
  private volatile boolean isWaiting;

  /** A copy of the grant, for threads without the lock. */
  private volatile long grantBytes;

  /** A copy of what waits in `replies`, for threads without the lock. */
  private volatile long waitingBytes;

  Attachment(
      Lane lane, UpstreamOptions options, long connection, int epoch, Open open, Hello hello) {
    this.lane = lane;
    this.options = options;
    this.connection = connection;
    this.epoch = epoch;
    this.open = open;
    this.hello = hello;
    Reopen left = open.reopen();
    this.replies =
        new ReplyQueue(
            this,
            options.acknowledge(),
            open.limit(),
            left == null ? open.limit() : left.grantBytes(),
            left == null ? 0 : left.taken(),
            left == null ? 0 : left.takenSinceConsumed());
    this.grantBytes = replies.grantBytes();
    boolean isCut =
        options.delivery() == Delivery.MESSAGES && !(open.framing() instanceof Framing.Raw);
    this.assembler = isCut ? new MessageAssembler(messageBytesMax(options, open)) : null;
    this.receivedOffset = left == null ? 0 : left.firstOffset();
    this.consumedOffset = receivedOffset;
    this.deliveredOffset = receivedOffset;
    this.handOver = new HandOver(left != null && left.takenSinceConsumed() > 0);
    this.isHalfClosed = left != null && left.isRepliesEnded();
  }

  // --- inputs, under the lane's lock ---

  void onOpen(ConnectionHandler.Factory factory) {
    try {
      handler = factory.open(this);
    } catch (RuntimeException defect) {
      onDefect(defect);
    }
  }

  void onData(ByteBuf payload, long offset, boolean last) {
    // The limit that came with it made room, and its handler used that to close.
    if (isEnded || handOver.isBegun()) {
      return;
    }
    int bytes = payload.readableBytes();
    if (offset != receivedOffset) {
      refuse(CloseReason.PROTOCOL);
      return;
    }
    long endOffset = offset + bytes;
    if (options.acknowledge() && endOffset - consumedOffset > options.receivableBytesMax()) {
      refuse(CloseReason.FLOW_CONTROL);
      return;
    }
    receivedOffset = endOffset;
    if (assembler == null) {
      if (bytes > 0) {
        deliver(payload, endOffset);
      }
    } else if (assembler.isTooLong(payload, last)) {
      refuse(CloseReason.FRAME_TOO_LONG);
    } else if (last) {
      deliverMessage(assembler.complete(payload), endOffset);
    } else {
      assembler.add(payload);
    }
  }

  /** A message longer than the window would wait for ever for its end. */
  private static int messageBytesMax(UpstreamOptions options, Open open) {
    int frameBytesMax = open.frameBytesMax() > 0 ? open.frameBytesMax() : Limits.BATCH_BYTES_MAX;
    return options.windowBytes() == 0
        ? frameBytesMax
        : Math.min(frameBytesMax, options.windowBytes());
  }

  void onLimit(long limit) {
    replies.onLimit(limit);
    if (replies.grantBytes() != grantBytes) {
      grantBytes = replies.grantBytes();
    }
    settle();
  }

  /** The client's stream ends at this offset. */
  void onHalfClose(long offset) {
    ConnectionHandler current = handler;
    if (handOver.isBegun()) {
      return; // The next owner is told.
    }
    if (offset != receivedOffset) {
      refuse(CloseReason.PROTOCOL);
      return;
    }
    if (current == null || isEnding) {
      return;
    }
    try {
      current.onHalfClose();
    } catch (RuntimeException defect) {
      onDefect(defect);
    }
  }

  /** The bridge wants to move the connection: nothing more comes for this attachment. */
  void onRelease() {
    ConnectionHandler current = handler;
    if (isEnded || isEnding || handOver.isBegun() || current == null) {
      return;
    }
    handOver.begin();
    if (assembler != null) {
      assembler.discard();
    }
    try {
      current.onRelease();
    } catch (RuntimeException defect) {
      onDefect(defect);
    }
    releaseIfDone();
  }

  /** The transport takes more again. */
  void onReady() {
    isBlocked = false;
    replies.pump();
    settle();
  }

  /** The attachment is over and the lane has forgotten it. */
  void onEnd(CloseReason reason) {
    if (isEnded) {
      return;
    }
    isEnded = true;
    replies.discard();
    if (assembler != null) {
      assembler.discard();
    }
    ConnectionHandler current = handler;
    if (current != null) {
      try {
        current.onClose(reason);
      } catch (RuntimeException defect) {
        log.warn("a handler failed in onClose, connection {}", open.mark(), defect);
      }
    }
  }

  // --- Connection ---

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
        (long) options.queueBytesMax() - ReplyQueue.OVERHEAD_BYTES - Limits.CONTEXT_BYTES_MAX;
    // A bridge that has granted nothing yet has not said how large its grant is.
    return (int) (grantBytes == 0 ? most : Math.min(most, grantBytes));
  }

  @Override
  public void send(ByteBuf owned) {
    reply(owned, ABSENT, null, false);
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
    reply(Unpooled.EMPTY_BUFFER, ABSENT, context, true);
  }

  @Override
  public void working() {
    lane.execute(() -> {
      if (!isEnded && !isEnding && lane.isReady()) {
        frame(Unpooled.EMPTY_BUFFER, ABSENT, null, false, false, 0);
      }
    });
  }

  @Override
  public void release() {
    inOrder(() -> {
      handOver.ask();
      releaseIfDone();
    });
  }

  @Override
  public void halfClose() {
    if (isHalfClosed) {
      return;
    }
    isHalfClosed = true;
    inOrder(() -> add(Unpooled.EMPTY_BUFFER, ABSENT, null, true, true, 0));
  }

  @Override
  public void close(CloseReason reason) {
    if (reason == CloseReason.DONE) {
      inOrder(() -> end(reason));
    } else {
      lane.execute(() -> end(reason));
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

  // --- ReplyQueue.Output ---

  @Override
  public boolean isReady() {
    return lane.isReady();
  }

  @Override
  public void frame(
      ByteBuf owned,
      long consumed,
      byte @Nullable [] context,
      boolean more,
      boolean halfClose,
      int closeCode) {
    boolean acknowledge = options.acknowledge();
    if (consumed > consumedOffset) {
      consumedOffset = consumed;
    }
    handOver.onFrame(owned.isReadable(), consumed);
    lane.data(
        connection,
        epoch,
        owned,
        acknowledge ? consumed : ABSENT,
        acknowledge ? context : null,
        more,
        halfClose,
        closeCode);
    if (closeCode != 0) {
      lane.onUpstreamClosed(this, CloseReason.ofWireCode(closeCode));
    }
  }

  // --- for the lane ---

  long connection() {
    return connection;
  }

  Lane lane() {
    return lane;
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
    if (lane.isHeld() && mailboxBytes.get() == 0) {
      if (replies.isWaiting()) {
        checkRoom(owned, costBytes(owned, context) + replies.waitingBytes());
      }
      add(owned, consumed, context, whole, false, 0);
    } else {
      handOver(owned, consumed, context, whole);
    }
  }

  private void handOver(ByteBuf owned, long consumed, byte @Nullable [] context, boolean whole) {
    long costBytes = costBytes(owned, context);
    checkRoom(owned, costBytes + mailboxBytes.get() + waitingBytes);
    mailboxBytes.addAndGet(costBytes);
    lane.executeLast(() -> {
      mailboxBytes.addAndGet(-costBytes);
      add(owned, consumed, context, whole, false, 0);
    });
  }

  /** Behind the replies that other threads have handed over. */
  private void inOrder(Runnable task) {
    if (mailboxBytes.get() == 0) {
      lane.execute(task);
    } else {
      lane.executeLast(task);
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
          + " bytes is larger than the grant of "
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
    if (context != null && context.length > Limits.CONTEXT_BYTES_MAX) {
      return "a context of "
          + context.length
          + " bytes is larger than "
          + Limits.CONTEXT_BYTES_MAX
          + ", connection "
          + open.mark();
    }
    return null;
  }

  private void add(
      ByteBuf owned,
      long consumed,
      byte @Nullable [] context,
      boolean whole,
      boolean halfClose,
      int closeCode) {
    if (isEnded || isEnding) {
      owned.release();
      return;
    }
    isEnding = closeCode != 0;
    replies.add(owned, consumed, context, whole, halfClose, closeCode);
    settle();
  }

  private void end(CloseReason reason) {
    if (isEnded) {
      return;
    }
    if (reason == CloseReason.DONE) {
      add(Unpooled.EMPTY_BUFFER, ABSENT, null, true, false, reason.wireCode());
    } else {
      refuse(reason);
    }
  }

  private void refuse(CloseReason reason) {
    replies.discard();
    isEnding = true;
    frame(Unpooled.EMPTY_BUFFER, ABSENT, null, false, false, reason.wireCode());
  }

  /** After anything that may have moved the queue. */
  private void settle() {
    if (!isEnded) {
      settleQueue();
      releaseIfDone();
    }
  }

  /**
   * Ends the attachment for the next owner when all has left, and everything is consumed or the
   * handler does not want to go on.
   */
  private void releaseIfDone() {
    boolean hasLeft = !replies.isWaiting() && mailboxBytes.get() == 0;
    if (!isEnded && !isEnding && hasLeft && handOver.isDue(deliveredOffset, consumedOffset)) {
      lane.released(this, handOver.finalConsumed(consumedOffset));
    }
  }

  /** Tells the lane, the handler, or nobody. */
  private void settleQueue() {
    boolean wasWaiting = isWaiting;
    if (!wasWaiting && !replies.isWaiting()) {
      return;
    }
    isWaiting = replies.isWaiting();
    waitingBytes = replies.waitingBytes();
    if (isWaiting && !isBlocked && !lane.isReady()) {
      isBlocked = true;
      lane.block(this);
    }
    ConnectionHandler current = handler;
    if (wasWaiting && !isWaiting && current != null) {
      try {
        current.onWritable();
      } catch (RuntimeException defect) {
        onDefect(defect);
      }
    }
  }

  private void deliverMessage(ByteBuf owned, long endOffset) {
    try {
      deliver(owned, endOffset);
    } finally {
      owned.release();
    }
  }

  private void deliver(ByteBuf borrowed, long endOffset) {
    ConnectionHandler current = handler;
    if (current == null || isEnding) {
      return;
    }
    deliveredOffset = endOffset;
    try {
      current.onData(borrowed, endOffset);
    } catch (RuntimeException defect) {
      onDefect(defect);
    }
  }

  private void onDefect(RuntimeException defect) {
    log.warn("a handler failed, connection {} is closed", open.mark(), defect);
    end(CloseReason.ABORT);
  }
}
