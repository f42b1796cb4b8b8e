package dev.waymark.engine.pool;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.protocol.Mark;

/**
 * Listener for what happens to the upstreams of a pool in one shard, for logs and the control
 * plane. Called on the shard's thread; must not block.
 */
public interface UpstreamEvents {
  void onConnectionAttached(Mark mark, String pool, String upstream, int epoch);

  /** The upstream has accepted a lane. */
  void onLaneOpen(String pool, String upstream);

  /** The upstream has announced the end of a lane's connection; another is opened to take over. */
  void onLaneReplaced(String pool, String upstream);

  /**
   * A lane that worked has broken.
   *
   * @param connections how many were attached
   */
  void onLaneBroken(String pool, String upstream, String cause, int connections);

  /** An upstream that was draining has ended a lane without connections. */
  void onLaneEnded(String pool, String upstream);

  /** An upstream that says SERVING could not be reached or refused a lane; it is tried again. */
  void onLaneRefused(String pool, String upstream, String cause);

  /** There is evidence against an upstream; called every time. */
  void onOutlierSignal(String pool, String upstream, OutlierSignal why);

  void onUpstreamDraining(String pool, String upstream);
}
