package dev.waymark.sim;

import dev.waymark.protocol.Mark;
import dev.waymark.protocol.UpstreamControl;
import java.nio.ByteBuffer;

/** Payloads of pushes: recognizable among echoed replies, and carrying the number of the push. */
final class SimPush {
  /** A sequence of bytes that no echo contains. */
  private static final int MAGIC = 0x50555348;

  private static final int HEAD_BYTES = 8;
  private static final int MORE_BYTES_MAX = 60;

  private SimPush() {}

  static UpstreamControl.Push any(Sim sim, SimLane lane) {
    return to(sim, lane, sim.anyConnection());
  }

  /** A push to send; {@code epoch} is -1 if it may be written in any. */
  record Payload(int id, Mark mark, byte[] bytes, long epoch) {}

  static UpstreamControl.Push to(Sim sim, SimLane lane, long connection) {
    Payload push = payload(sim, connection);
    sim.history().pushed(lane.number(), push.id, connection);
    return new UpstreamControl.Push(push.id, push.mark, push.bytes, push.epoch);
  }

  static Payload payload(Sim sim, long connection) {
    Dice dice = sim.dice();
    int id = sim.nextPush();
    long epoch = dice.oneIn(4) ? Math.max(0, sim.watchers().ledger().epoch(connection)) : -1;
    byte[] payload = new byte[HEAD_BYTES + dice.upTo(MORE_BYTES_MAX)];
    ByteBuffer.wrap(payload).putInt(MAGIC).putInt(id);
    return new Payload(id, new Mark(Sim.INSTANCE, connection), payload, epoch);
  }

  static boolean isPush(byte[] payload) {
    return payload.length >= HEAD_BYTES && ByteBuffer.wrap(payload).getInt() == MAGIC;
  }

  static int id(byte[] payload) {
    return ByteBuffer.wrap(payload).getInt(Integer.BYTES);
  }
}
