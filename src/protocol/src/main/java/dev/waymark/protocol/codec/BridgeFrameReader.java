package dev.waymark.protocol.codec;

import com.google.protobuf.MessageLite;
import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.v1.Close;
import dev.waymark.v1.Closed;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.Opened;
import dev.waymark.v1.Ping;
import dev.waymark.v1.PushResult;
import dev.waymark.v1.Release;
import dev.waymark.v1.Synced;
import dev.waymark.v1.Syncing;
import io.netty.buffer.ByteBuf;

/**
 * Reads the frames of a BridgeBatch one by one. Accepts fields in any order. Confined to the thread
 * of its lane.
 */
public final class BridgeFrameReader {
  private static final int FIELD_MAX = 18;

  /** A gap between the data fields and the controls; unused in this revision. */
  private static final int UNUSED_FIELD = 7;

  private final FieldReader fields = new FieldReader();

  /**
   * Reads the frame at the batch's reader index and moves the index past it. As in every protobuf
   * parser, the last value of a repeated scalar field wins, the parts of a split message are
   * merged, and unknown fields, including groups, are skipped.
   *
   * @param batch borrowed
   * @param into receives the frame; its payload is an unretained slice of the batch
   * @return false at the end of the batch; {@code into} is empty then
   * @throws MalformedFrameException if the frame is malformed; the rest of the batch cannot be
   *     read, and {@code into} must not be used
   */
  public boolean read(ByteBuf batch, BridgeFrame into) throws MalformedFrameException {
    into.clear();
    if (!fields.enterFrame(batch)) {
      return false;
    }
    while (fields.hasMore()) {
      readField(fields.tag(), into);
    }
    MessageLite control = fields.control();
    if (control != null) {
      into.control(fromProto(control));
    }
    fields.leaveFrame();
    return true;
  }

  private void readField(int tag, BridgeFrame into) throws MalformedFrameException {
    switch (tag) {
      case 1 << 3 -> into.connection(fields.varint());
      case 2 << 3 -> into.epoch((int) fields.varint());
      case 3 << 3 | 2 -> into.payload(fields.payload(SizeLimits.PAYLOAD_BYTES_MAX));
      case 4 << 3 -> into.offset(fields.offset());
      case 5 << 3 -> into.last(fields.bool());
      case 6 << 3 -> into.limit(fields.offset());
      default -> readControl(tag);
    }
  }

  private void readControl(int tag) throws MalformedFrameException {
    switch (tag) {
      case 8 << 3 | 2 -> fields.control(Hello.newBuilder());
      case 9 << 3 | 2 -> fields.control(Open.newBuilder());
      case 10 << 3 | 2 -> fields.control(HalfClose.newBuilder());
      case 11 << 3 | 2 -> fields.control(Close.newBuilder());
      case 12 << 3 | 2 -> fields.control(Release.newBuilder());
      case 13 << 3 | 2 -> fields.control(Opened.newBuilder());
      case 14 << 3 | 2 -> fields.control(Closed.newBuilder());
      case 15 << 3 | 2 -> fields.control(Synced.newBuilder());
      case 16 << 3 | 2 -> fields.control(PushResult.newBuilder());
      case 17 << 3 | 2 -> fields.control(Ping.newBuilder());
      case 18 << 3 | 2 -> fields.control(Syncing.newBuilder());
      default -> fields.skip(tag, tag >>> 3 == UNUSED_FIELD ? 0 : FIELD_MAX);
    }
  }

  private static BridgeControl fromProto(MessageLite control) throws MalformedFrameException {
    if (control instanceof Open open) {
      return open(open);
    } else if (control instanceof HalfClose halfClose) {
      return halfClose(halfClose);
    } else if (control instanceof Close close) {
      return close(close);
    } else if (control instanceof Release) {
      return new BridgeControl.Release();
    } else if (control instanceof Opened opened) {
      return opened(opened);
    } else if (control instanceof Closed closed) {
      return closed(closed);
    } else if (control instanceof PushResult result) {
      return pushResult(result);
    } else if (control instanceof Ping ping) {
      return new BridgeControl.Ping(ping.getId());
    } else if (control instanceof Hello hello) {
      return new BridgeControl.HelloControl(Messages.fromProto(hello));
    } else if (control instanceof Syncing) {
      return new BridgeControl.Syncing();
    } else if (control instanceof Synced) {
      return new BridgeControl.Synced();
    }
    throw new IllegalStateException("not a control that readControl creates");
  }

  private static BridgeControl open(Open open) throws MalformedFrameException {
    if (open.getSerializedSize() > SizeLimits.OPEN_BYTES_MAX) {
      throw MalformedFrameException.OPEN_TOO_LONG;
    }
    return new BridgeControl.OpenControl(Messages.fromProto(open));
  }

  private static BridgeControl halfClose(HalfClose halfClose) {
    return new BridgeControl.HalfClose(
        halfClose.getOffset() < 0 ? Long.MAX_VALUE : halfClose.getOffset());
  }

  private static BridgeControl close(Close close) {
    return new BridgeControl.Close(CloseReason.ofWireCode(close.getReasonValue()));
  }

  private static BridgeControl opened(Opened opened) {
    return new BridgeControl.Opened(
        opened.getMark(), opened.getListener(), opened.getClientAddress());
  }

  private static BridgeControl closed(Closed closed) {
    return new BridgeControl.Closed(CloseReason.ofWireCode(closed.getReasonValue()));
  }

  private static BridgeControl pushResult(PushResult result) {
    return new BridgeControl.PushResult(
        result.getId(),
        result.getOutcomeValue(),
        result.getReasonValue(),
        result.getClosedUnixMs(),
        result.getWaitingBytes());
  }
}
