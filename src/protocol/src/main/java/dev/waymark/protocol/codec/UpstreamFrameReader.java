package dev.waymark.protocol.codec;

import com.google.protobuf.MessageLite;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.v1.Draining;
import dev.waymark.v1.Load;
import dev.waymark.v1.Pong;
import dev.waymark.v1.Push;
import dev.waymark.v1.Released;
import dev.waymark.v1.Settings;
import io.netty.buffer.ByteBuf;

/**
 * Reads the frames of an UpstreamBatch one by one. Accepts fields in any order. Confined to the
 * thread of its lane.
 */
public final class UpstreamFrameReader {
  private static final int FIELD_MAX = 14;

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
  public boolean read(ByteBuf batch, UpstreamFrame into) throws MalformedFrameException {
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

  private void readField(int tag, UpstreamFrame into) throws MalformedFrameException {
    switch (tag) {
      case 1 << 3 -> into.connection(fields.varint());
      case 2 << 3 -> into.epoch((int) fields.varint());
      case 3 << 3 | 2 -> into.payload(fields.payload(SizeLimits.PAYLOAD_BYTES_MAX));
      case 4 << 3 -> into.consumed(fields.offset());
      case 5 << 3 | 2 -> into.context(fields.context(SizeLimits.CONTEXT_BYTES_MAX));
      case 6 << 3 -> into.more(fields.bool());
      case 7 << 3 -> into.halfClose(fields.bool());
      case 8 << 3 -> into.close((int) fields.varint());
      default -> readControl(tag);
    }
  }

  private void readControl(int tag) throws MalformedFrameException {
    switch (tag) {
      case 9 << 3 | 2 -> fields.control(Settings.newBuilder());
      case 10 << 3 | 2 -> fields.control(Released.newBuilder());
      case 11 << 3 | 2 -> fields.control(Push.newBuilder());
      case 12 << 3 | 2 -> fields.control(Draining.newBuilder());
      case 13 << 3 | 2 -> fields.control(Load.newBuilder());
      case 14 << 3 | 2 -> fields.control(Pong.newBuilder());
      default -> fields.skip(tag, FIELD_MAX);
    }
  }

  private static UpstreamControl fromProto(MessageLite control) throws MalformedFrameException {
    if (control instanceof Pong pong) {
      return new UpstreamControl.Pong(pong.getId());
    } else if (control instanceof Push push) {
      return push(push);
    } else if (control instanceof Released) {
      return new UpstreamControl.Released();
    } else if (control instanceof Load load) {
      return load(load);
    } else if (control instanceof Settings settings) {
      return settings(settings);
    } else if (control instanceof Draining) {
      return new UpstreamControl.Draining();
    }
    throw new IllegalStateException("not a control that readControl creates");
  }

  private static UpstreamControl push(Push push) throws MalformedFrameException {
    if (push.getPayload().size() > SizeLimits.PAYLOAD_BYTES_MAX) {
      throw MalformedFrameException.PAYLOAD_TOO_LONG;
    }
    return new UpstreamControl.Push(
        push.getId(),
        Mark.isMark(push.getMark()) ? Mark.parse(push.getMark()) : null,
        push.getPayload().toByteArray(),
        push.hasEpoch() ? Integer.toUnsignedLong(push.getEpoch()) : UpstreamFrame.ABSENT);
  }

  private static UpstreamControl settings(Settings settings) {
    return new UpstreamControl.Settings(
        settings.getRevision(),
        settings.getWindowBytes(),
        settings.getAnnouncements(),
        settings.getPinned());
  }

  private static UpstreamControl load(Load load) {
    return new UpstreamControl.Load(load.getUtilisation(), load.getCapacity());
  }
}
