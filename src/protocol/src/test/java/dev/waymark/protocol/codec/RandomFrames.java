package dev.waymark.protocol.codec;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Mark;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Close;
import dev.waymark.v1.Closed;
import dev.waymark.v1.Draining;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Load;
import dev.waymark.v1.Opened;
import dev.waymark.v1.Ping;
import dev.waymark.v1.Pong;
import dev.waymark.v1.Push;
import dev.waymark.v1.PushResult;
import dev.waymark.v1.Released;
import dev.waymark.v1.Settings;
import dev.waymark.v1.Synced;
import dev.waymark.v1.Syncing;
import dev.waymark.v1.UpstreamFrame;
import java.util.SplittableRandom;

/** Random frames as a well-behaved peer may send them. */
final class RandomFrames {
  private static final int[] PAYLOAD_BYTES = {0, 1, 2, 127, 128, 1000, 8191, 8192, 8193, 65_536};

  private RandomFrames() {}

  static BridgeFrame bridge(SplittableRandom random) {
    var frame = BridgeFrame.newBuilder();
    switch (random.nextInt(40)) {
      case 0 -> {
        return frame.setPushResult(pushResult(random)).build();
      }
      case 1 -> {
        return frame.setSyncing(Syncing.getDefaultInstance()).build();
      }
      case 2 -> {
        return frame.setSynced(Synced.getDefaultInstance()).build();
      }
      case 3 -> {
        Opened opened =
            Opened.newBuilder().setMark("m").setListener("l").setClientAddress("c:1").build();
        return frame.setConnection(number(random)).setOpened(opened).build();
      }
      case 4 -> {
        Closed closed = Closed.newBuilder().setReasonValue(1 + random.nextInt(26)).build();
        return frame.setConnection(number(random)).setClosed(closed).build();
      }
      default -> {}
    }
    if (random.nextInt(10) == 0) {
      return frame.setPing(Ping.newBuilder().setId(random.nextLong())).build();
    }
    frame.setConnection(number(random)).setEpoch((int) number(random));
    switch (random.nextInt(10)) {
      case 0 -> frame.setHalfClose(HalfClose.newBuilder().setOffset(number(random)));
      case 1 ->
          frame.setClose(
              Close.newBuilder().setReasonValue(1 + random.nextInt(CloseReason.values().length)));
      default ->
          frame.setPayload(payload(random)).setOffset(number(random)).setLast(random.nextBoolean());
    }
    if (!frame.hasHalfClose() && !frame.hasClose() && random.nextBoolean()) {
      frame.setLimit(number(random));
    }
    return frame.build();
  }

  static UpstreamFrame upstream(SplittableRandom random) {
    var frame = UpstreamFrame.newBuilder();
    switch (random.nextInt(20)) {
      case 0 -> {
        return frame
            .setSettings(
                Settings.newBuilder()
                    .setRevision(1)
                    .setWindowBytes((int) number(random))
                    .setPinned(random.nextBoolean()))
            .build();
      }
      case 1 -> {
        return frame.setDraining(Draining.getDefaultInstance()).build();
      }
      case 2 -> {
        return frame
            .setLoad(Load.newBuilder().setUtilisation(random.nextDouble()).setCapacity(7))
            .build();
      }
      case 3 -> {
        return frame.setPong(Pong.newBuilder().setId(random.nextLong())).build();
      }
      case 4 -> {
        frame.setConnection(number(random)).setEpoch((int) number(random));
        if (random.nextBoolean()) {
          frame.setConsumed(number(random));
        }
        return frame.setReleased(Released.getDefaultInstance()).build();
      }
      case 5 -> {
        return frame.setPush(push(random)).build();
      }
      default ->
          frame
              .setConnection(number(random))
              .setEpoch((int) number(random))
              .setPayload(payload(random));
    }
    if (random.nextBoolean()) {
      frame.setConsumed(number(random));
    }
    if (random.nextInt(3) == 0) {
      frame.setContext(bytes(random, random.nextBoolean() ? 0 : random.nextInt(4097)));
    }
    return frame
        .setMore(random.nextBoolean())
        .setHalfClose(random.nextBoolean())
        .setCloseValue(random.nextInt(4) == 0 ? random.nextInt(30) - 2 : 0)
        .build();
  }

  private static Push push(SplittableRandom random) {
    Push.Builder push =
        Push.newBuilder()
            .setId(random.nextLong())
            .setMark(new Mark(random.nextLong(), number(random) >>> 19).toString())
            .setPayload(payload(random));
    return random.nextBoolean() ? push.setEpoch((int) number(random)).build() : push.build();
  }

  private static PushResult pushResult(SplittableRandom random) {
    return PushResult.newBuilder()
        .setId(random.nextLong())
        .setOutcomeValue(1 + random.nextInt(7))
        .setReasonValue(random.nextInt(27))
        .setClosedUnixMs(number(random))
        .setWaitingBytes(number(random))
        .build();
  }

  /** A number with a random bit length of at most 63, often 0. */
  private static long number(SplittableRandom random) {
    return random.nextInt(4) == 0 ? 0 : random.nextLong() >>> (1 + random.nextInt(63));
  }

  private static ByteString payload(SplittableRandom random) {
    return bytes(random, PAYLOAD_BYTES[random.nextInt(PAYLOAD_BYTES.length)]);
  }

  private static ByteString bytes(SplittableRandom random, int bytes) {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    return ByteString.copyFrom(content);
  }
}
