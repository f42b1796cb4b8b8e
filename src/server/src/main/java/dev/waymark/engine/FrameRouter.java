package dev.waymark.engine;

import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamControl.Draining;
import dev.waymark.protocol.UpstreamControl.Load;
import dev.waymark.protocol.UpstreamControl.Pong;
import dev.waymark.protocol.UpstreamControl.Push;
import dev.waymark.protocol.UpstreamControl.Released;
import dev.waymark.protocol.UpstreamControl.Settings;
import dev.waymark.protocol.UpstreamFrame;

/**
 * Gives each frame that came on a lane to the connection that it names, or to what it is for (rules
 * 6 and 8). Confined to its shard's thread.
 */
final class FrameRouter {
  private final Lane lane;
  private final Shard shard;
  private final Counters counters;
  private final LaneSender sender;

  FrameRouter(Lane lane, Shard shard, Counters counters, LaneSender sender) {
    this.lane = lane;
    this.shard = shard;
    this.counters = counters;
    this.sender = sender;
  }

  /** A frame came, and the lane is open. */
  void onFrame(long nowNs, UpstreamFrame frame) {
    UpstreamControl control = frame.control();
    if (control == null || control instanceof Released) {
      onConnectionFrame(nowNs, frame);
    } else {
      onControl(nowNs, control);
    }
  }

  private void onConnectionFrame(long nowNs, UpstreamFrame frame) {
    Connection connection = shard.connection(frame.connection());
    if (connection != null) {
      counters.add(Counter.UPSTREAM_RECEIVED_BYTES, frame.payload().readableBytes());
      connection.onFrame(nowNs, lane, frame);
    } else if (shard.hasEverBeen(frame.connection())) {
      counters.add(Counter.FRAMES_FENCED, 1);
    } else {
      counters.add(Counter.FRAMES_UNKNOWN, 1);
      // A Close is never answered (rule 8), and 0 is the lane: an upstream that echoes every frame
      // would be answered for ever.
      if (frame.close() == 0 && frame.connection() != 0) {
        sender.answer(frame);
        lane.breakIfUnread(nowNs);
      }
    }
  }

  private void onControl(long nowNs, UpstreamControl control) {
    switch (control) {
      case Settings settings -> lane.onSettings(nowNs, settings);
      case Draining _ -> lane.onDraining(nowNs);
      case Push push -> {
        shard.pushes().push(nowNs, lane.poolName(), push, this::onPushResult);
        lane.breakIfUnread(nowNs);
      }
      case Pong(long id) -> lane.onPong(nowNs, id);
      // Load is for balancing by load, Released belongs to a connection.
      case Load _, Released _ -> {}
    }
  }

  /** May come long after the push, and from within what happens to another lane. */
  private void onPushResult(PushResult result) {
    counters.addPush(result.outcome());
    if (lane.isOpen()) {
      sender.answer(result);
    }
  }
}
