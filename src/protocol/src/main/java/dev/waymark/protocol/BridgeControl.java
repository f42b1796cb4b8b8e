package dev.waymark.protocol;

/** What a bridge says beside data. Immutable. */
public sealed interface BridgeControl {
  /** Who speaks: the first frame of a lane. */
  record HelloControl(Hello hello) implements BridgeControl {}

  /** A connection is attached. */
  record OpenControl(Open open) implements BridgeControl {}

  /** The client sent FIN after this many bytes. */
  record HalfClose(long offset) implements BridgeControl {}

  /** The attachment is over. */
  record Close(CloseReason reason) implements BridgeControl {}

  /** To be answered with a Pong of the same id. */
  record Ping(long id) implements BridgeControl {}

  /** Finish what has come, then Released. */
  record Release() implements BridgeControl {}

  /** What the lane announced so far is void: all that is there is announced anew. */
  record Syncing() implements BridgeControl {}

  /** The frame's connection is there. */
  record Opened(String mark, String listener, String clientAddress) implements BridgeControl {}

  /** The frame's connection is no more. */
  record Closed(CloseReason reason) implements BridgeControl {}

  /** All that is there was announced. */
  record Synced() implements BridgeControl {}

  /** The answer to a Push; codes are the numbers in attach.proto, what does not apply is 0. */
  record PushResult(long id, int outcomeCode, int reasonCode, long closedUnixMs, long waitingBytes)
      implements BridgeControl {}
}
