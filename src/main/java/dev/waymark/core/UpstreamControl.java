package dev.waymark.core;

/** What an upstream says beside data, rarely. Immutable. */
public sealed interface UpstreamControl {
  /** The upstream acknowledges. `windowBytes` 0: the bridge's own window. */
  record Settings(int revision, int windowBytes, boolean isAnnouncementsWanted)
      implements UpstreamControl {}

  /** No new connections, please. */
  record Draining() implements UpstreamControl {}

  /** How busy the upstream is; utilisation 0 to 1, capacity 0: unknown. */
  record Load(double utilisation, int capacity) implements UpstreamControl {}

  /** The answer to a Ping. */
  record Pong(long id) implements UpstreamControl {}

  /** The last frame of an epoch after a Release. */
  record Released() implements UpstreamControl {}

  /** Bytes for any connection; only its id is kept, since this bridge answers NOT_OFFERED. */
  record Push(long id) implements UpstreamControl {}
}
