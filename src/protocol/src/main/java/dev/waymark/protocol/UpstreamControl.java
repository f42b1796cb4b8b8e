package dev.waymark.protocol;

import org.jspecify.annotations.Nullable;

/** What an upstream says besides data. Immutable. */
public sealed interface UpstreamControl {
  /** The upstream acknowledges. {@code windowBytes} 0: the bridge's own window. */
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

  /**
   * Bytes for any connection (rule 6).
   *
   * @param id the upstream's own number, for the answer
   * @param mark of the connection; null if its text is not a mark
   * @param payload at most {@link SizeLimits#PAYLOAD_BYTES_MAX}; not to be changed
   * @param epoch the only epoch in which they are to be written, or {@link UpstreamFrame#ABSENT}
   */
  record Push(long id, @Nullable Mark mark, byte[] payload, long epoch) implements UpstreamControl {
    /** Whether it names another epoch than this one. */
    public boolean isFencedIn(int presentEpoch) {
      return epoch != UpstreamFrame.ABSENT && (int) epoch != presentEpoch;
    }
  }
}
