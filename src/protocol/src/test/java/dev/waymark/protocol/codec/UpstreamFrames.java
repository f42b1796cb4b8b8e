package dev.waymark.protocol.codec;

import dev.waymark.protocol.Mark;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.v1.UpstreamBatch;
import io.netty.buffer.Unpooled;
import java.io.IOException;

/** Frames that were read, for comparison with those that were sent. */
final class UpstreamFrames {
  private UpstreamFrames() {}

  /** Returns the frame as the generated class. */
  static dev.waymark.v1.UpstreamFrame toProto(UpstreamFrame next) throws IOException {
    var writer = new UpstreamBatchWriter();
    switch (next.control()) {
      case null ->
          writer.data(
              next.connection(),
              next.epoch(),
              next.payload().retain(),
              next.consumed(),
              next.context(),
              next.more(),
              next.halfClose(),
              next.close());
      case UpstreamControl.Settings settings ->
          writer.settings(
              settings.windowBytes(), settings.wantsAnnouncements(), settings.isPinned());
      case UpstreamControl.Draining() -> writer.draining();
      case UpstreamControl.Load(double utilisation, int capacity) ->
          writer.load(utilisation, capacity);
      case UpstreamControl.Pong(long id) -> writer.pong(id);
      case UpstreamControl.Released() ->
          writer.released(next.connection(), next.epoch(), next.consumed());
      case UpstreamControl.Push(long id, Mark mark, byte[] payload, long epoch) ->
          writer.push(id, String.valueOf(mark), Unpooled.wrappedBuffer(payload), epoch);
      default -> throw new AssertionError(next.control());
    }
    return UpstreamBatch.parseFrom(Bytes.drain(writer.batch())).getFrames(0);
  }
}
