package dev.waymark.upstream;

import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.protocol.codec.BridgeFrameReader;
import dev.waymark.protocol.codec.InboundBatch;
import dev.waymark.protocol.codec.MalformedFrameException;
import dev.waymark.protocol.codec.OutboundBatch;
import dev.waymark.protocol.codec.UpstreamBatchWriter;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The upstream's side of a lane, which is one Attach call: reads batches, dispatches frames to
 * attachments, and gathers their frames into one batch per turn. Everything runs inside its {@link
 * LaneMailbox}; the {@code on…} and {@code announce…} methods may be called from any thread.
 *
 * <p>A lane whose replies are bounded by reply windows is always read. An at-most-once upstream has
 * no reply windows, so it stops reading while the transport is full.
 */
final class ServerLane {
  private static final Logger log = LoggerFactory.getLogger(ServerLane.class);

  /** How many bytes gRPC may queue for the transport before the lane counts as full. */
  private static final int QUEUE_BYTES = 1024 * 1024;

  /** A batch of this size leaves before the turn ends. */
  private static final int BATCH_BYTES = 256 * 1024;

  /**
   * How many answers (Pong, BUSY) may wait while the transport is full. The bridge has the same
   * limit.
   */
  static final int UNREAD_ANSWERS_MAX = 10_000;

  private final ServerCall<InboundBatch, OutboundBatch> call;
  private final UpstreamOptions options;
  private final LaneAttachments attachments;
  private final LaneMailbox mailbox = new LaneMailbox(this::flush);
  private final UpstreamBatchWriter writer = new UpstreamBatchWriter();
  private final BridgeFrameReader reader = new BridgeFrameReader();
  private final BridgeFrame frame = new BridgeFrame();
  private final ArrayDeque<Attachment> blocked = new ArrayDeque<>();
  private final BridgeLinks links;
  private final BridgeLink link;
  private @Nullable Hello hello;
  private boolean isReady;
  private int unreadAnswers;
  private boolean isReadingPaused;
  private boolean isEnded;

  ServerLane(
      ServerCall<InboundBatch, OutboundBatch> call,
      UpstreamOptions options,
      ConnectionHandler.Factory factory,
      Attachments registry,
      BridgeLinks links) {
    this.call = call;
    this.options = options;
    this.attachments = new LaneAttachments(this, options, factory, registry);
    this.links = links;
    this.link = links.newLink(this);
  }

  // --- inputs, any thread ---

  /** Called once, before everything else. */
  void start() {
    mailbox.enter();
    try {
      call.setOnReadyThreshold(QUEUE_BYTES);
      call.sendHeaders(new Metadata());
      isReady = call.isReady();
      if (options.acknowledge()) {
        writer.settings(options.windowBytes(), links.wantsAnnouncements(), options.isPinned());
      }
      call.request(1);
    } finally {
      mailbox.exit();
    }
  }

  /** Called with a batch from the bridge, and releases it. */
  void onBatch(InboundBatch batch) {
    mailbox.enter();
    try {
      ByteBuf content = batch.content();
      while (!isEnded && reader.read(content, frame)) {
        onFrame();
      }
    } catch (MalformedFrameException malformed) {
      end(Status.INVALID_ARGUMENT.withDescription(malformed.getMessage()));
    } catch (RuntimeException bug) {
      log.error("closing a lane because of a bug in the SDK", bug);
      end(Status.INTERNAL.withDescription("bug in the upstream's SDK"));
    } finally {
      batch.release();
      requestNext();
      mailbox.exit();
    }
  }

  /** Called when the transport has room again. */
  void onReady() {
    mailbox.enter();
    try {
      isReady = call.isReady();
      for (Attachment next = blocked.poll(); next != null; next = isReady ? blocked.poll() : null) {
        next.onReady();
      }
      if (isReadingPaused) {
        isReadingPaused = false;
        requestNext();
      }
    } finally {
      mailbox.exit();
    }
  }

  /** Called when the bridge ends the call. */
  void onHalfClose() {
    mailbox.enter();
    try {
      end(Status.OK);
    } finally {
      mailbox.exit();
    }
  }

  /** Called when the call is cancelled or its connection is lost. */
  void onCancel() {
    mailbox.enter();
    try {
      writer.batch().release();
      isEnded = true;
      endAttachments();
    } finally {
      mailbox.exit();
    }
  }

  void announceDraining() {
    mailbox.execute(() -> {
      if (!isEnded) {
        writer.draining();
      }
    });
  }

  /** Ends the call. The bridge gives connections that are still attached to other upstreams. */
  void finish() {
    mailbox.execute(() -> end(Status.OK));
  }

  void announceLoad(double utilisation, int capacity) {
    mailbox.execute(() -> {
      if (!isEnded && isReady) {
        writer.load(utilisation, capacity);
      }
    });
  }

  /** Runs a task inside the lane: now, or on the thread that is inside. */
  void execute(Runnable task) {
    mailbox.execute(task);
  }

  /** Runs a task inside the lane, after all tasks submitted before. */
  void executeLast(Runnable task) {
    mailbox.executeLast(task);
  }

  /** Whether the calling thread is inside the lane. */
  boolean isHeld() {
    return mailbox.isHeld();
  }

  // --- for attachments, inside ---

  boolean isReady() {
    return isReady;
  }

  /** Calls {@link Attachment#onReady} when the transport has room again. */
  void block(Attachment attachment) {
    blocked.add(attachment);
  }

  /** Sends a frame with data, a commit or a close. Takes over the payload's reference. */
  void data(
      long connection,
      int epoch,
      ByteBuf owned,
      long consumedOffset,
      byte @Nullable [] context,
      boolean more,
      boolean halfClose,
      int closeCode) {
    writer.data(connection, epoch, owned, consumedOffset, context, more, halfClose, closeCode);
    flushIfLarge();
  }

  /**
   * Sends the last frame of this attachment and ends it. {@code consumedOffset} is final or absent.
   */
  void released(Attachment attachment, long consumedOffset) {
    writer.released(attachment.connection(), attachment.epoch(), consumedOffset);
    flushIfLarge();
    endAttachment(attachment, CloseReason.MOVED);
  }

  /** Sends a Push. The payload is borrowed. */
  void push(long id, String mark, ByteBuf payload, long epochOrAbsent) {
    writer.push(id, mark, payload, epochOrAbsent);
    flushIfLarge();
  }

  /** Ends an attachment; it must send nothing more. */
  void endAttachment(Attachment attachment, CloseReason reason) {
    attachments.end(attachment, reason);
  }

  // --- transitions ---

  private void onFrame() {
    if (hello == null && !(frame.control() instanceof BridgeControl.HelloControl)) {
      end(Status.INVALID_ARGUMENT.withDescription("the first frame of a lane must be Hello"));
      return;
    }
    BridgeControl control = frame.control();
    if (control == null) {
      onData();
    } else {
      onControl(control);
    }
  }

  private void onControl(BridgeControl control) {
    if (control instanceof BridgeControl.OpenControl opening) {
      onOpen(opening.open());
    } else if (control instanceof BridgeControl.HalfClose end) {
      onClientHalfClose(end.offset());
    } else if (control instanceof BridgeControl.Close close) {
      onClose(close.reason());
    } else if (control instanceof BridgeControl.Ping ping) {
      onPing(ping.id());
    } else if (control instanceof BridgeControl.Release) {
      onRelease();
    } else if (control instanceof BridgeControl.PushResult result) {
      link.onPushResult(result);
    } else if (control instanceof BridgeControl.HelloControl first) {
      onHello(first.hello());
    } else {
      link.onAnnouncement(frame.connection(), control);
    }
  }

  private void onHello(Hello first) {
    if (hello != null) {
      end(Status.INVALID_ARGUMENT.withDescription("second Hello on a lane"));
      return;
    }
    hello = first;
    link.onHello(first);
    log.debug("lane of bridge {} shard {} pool {}", first.node(), first.shard(), first.pool());
  }

  private void onOpen(Open open) {
    long connection = frame.connection();
    Hello bridge = hello;
    if (connection == 0 || bridge == null) {
      end(Status.INVALID_ARGUMENT.withDescription("Open without a connection"));
      return;
    }
    if (attachments.hasRoomFor(open.mark())) {
      attachments.open(connection, frame.epoch(), open, bridge);
    } else {
      int busy = CloseReason.BUSY.wireCode();
      data(
          connection,
          frame.epoch(),
          Unpooled.EMPTY_BUFFER,
          UpstreamFrame.ABSENT,
          null,
          false,
          false,
          busy);
      onAnswered();
    }
  }

  private void onData() {
    Attachment attachment = current();
    if (attachment == null) {
      return;
    }
    // The limit first, so that replies to the data can use it.
    if (frame.limit() != BridgeFrame.ABSENT) {
      attachment.onLimit(frame.limit());
    }
    if (frame.payload().isReadable() || frame.last()) {
      attachment.onData(frame.payload(), frame.offset(), frame.last());
    }
  }

  private void onClientHalfClose(long offset) {
    Attachment attachment = current();
    if (attachment != null) {
      attachment.onHalfClose(offset);
    }
  }

  private void onClose(CloseReason reason) {
    Attachment attachment = current();
    if (attachment != null) {
      endAttachment(attachment, reason);
    }
  }

  private void onRelease() {
    Attachment attachment = current();
    // An at-most-once upstream cannot say where the next owner should resume (rule 5).
    if (attachment != null && options.acknowledge()) {
      attachment.onRelease();
    }
  }

  private void onPing(long id) {
    writer.pong(id);
    flushIfLarge();
    onAnswered();
  }

  /** Counts an answer. Ends the lane if too many pile up because the bridge does not read them. */
  private void onAnswered() {
    unreadAnswers = isReady ? 0 : unreadAnswers + 1;
    if (unreadAnswers > UNREAD_ANSWERS_MAX) {
      end(
          Status.RESOURCE_EXHAUSTED.withDescription(
              "the bridge does not read the answers to its frames"));
    }
  }

  /** The attachment that the frame belongs to, or null if it is gone or in another epoch. */
  private @Nullable Attachment current() {
    return attachments.find(frame.connection(), frame.epoch());
  }

  private void flushIfLarge() {
    if (writer.batch().bytes() >= BATCH_BYTES) {
      flush();
    }
  }

  private void flush() {
    OutboundBatch batch = writer.batch();
    if (batch.isEmpty()) {
      return;
    }
    if (isEnded) {
      batch.release();
      return;
    }
    call.sendMessage(batch);
    batch.afterSend();
    isReady = call.isReady();
  }

  private void requestNext() {
    if (isEnded) {
      return;
    }
    flush();
    if (options.acknowledge() || isReady) {
      call.request(1);
    } else {
      isReadingPaused = true;
    }
  }

  private void end(Status status) {
    if (isEnded) {
      return;
    }
    flush();
    isEnded = true;
    call.close(status, new Metadata());
    endAttachments();
    if (!status.isOk()) {
      log.warn("closed a lane: {}", status.getDescription());
    }
  }

  private void endAttachments() {
    link.onEnd();
    blocked.clear();
    attachments.endAll(CloseReason.UPSTREAM_LOST);
  }
}
