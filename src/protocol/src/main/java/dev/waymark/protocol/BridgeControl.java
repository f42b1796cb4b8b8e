package dev.waymark.protocol;

/** A control frame from a bridge: everything but data and limits. Immutable. */
public sealed interface BridgeControl {
  /** The bridge introduces itself: the first frame of a lane. */
  record HelloControl(Hello hello) implements BridgeControl {}

  /** A connection is attached. */
  record OpenControl(Open open) implements BridgeControl {}

  /** The client sent FIN after this many bytes. */
  record HalfClose(long offset) implements BridgeControl {}

  /** The attachment is over. */
  record Close(CloseReason reason) implements BridgeControl {}

  /** Asks for a Pong with the same id. */
  record Ping(long id) implements BridgeControl {}

  /** Asks the upstream to finish what it has received and answer with Released. */
  record Release() implements BridgeControl {}

  /** Voids what the lane has announced so far; everything is announced again. */
  record Syncing() implements BridgeControl {}

  /** The frame's connection exists. */
  record Opened(String mark, String listener, String clientAddress) implements BridgeControl {}

  /** The frame's connection has ended. */
  record Closed(CloseReason reason) implements BridgeControl {}

  /** Everything that exists has been announced. */
  record Synced() implements BridgeControl {}

  /** The answer to a Push. Codes are the numbers in attach.proto, or 0 where they do not apply. */
  record PushResult(long id, int outcomeCode, int reasonCode, long closedUnixMs, long waitingBytes)
      implements BridgeControl {}
}
