package dev.waymark.protocol;

import org.jspecify.annotations.Nullable;

/** A control frame from an upstream: everything but data. Immutable. */
public sealed interface UpstreamControl {
  /**
   * Says that the upstream acknowledges.
   *
   * @param windowBytes 0 if the bridge's own window applies
   * @param isPinned whether its connections cannot be resumed elsewhere: never moved, never
   *     replayed
   */
  record Settings(int revision, int windowBytes, boolean wantsAnnouncements, boolean isPinned)
      implements UpstreamControl {}

  /** Asks for no new connections. */
  record Draining() implements UpstreamControl {}

  /** How busy the upstream is: {@code utilisation} is 0 to 1; {@code capacity} is 0 if unknown. */
  record Load(double utilisation, int capacity) implements UpstreamControl {}

  /** The answer to a Ping. */
  record Pong(long id) implements UpstreamControl {}

  /** The last frame of an epoch after a Release. */
  record Released() implements UpstreamControl {}

  /**
   * Bytes for any connection (rule 6).
   *
   * @param id the upstream's own number, which the answer repeats
   * @param mark the connection's mark, or null if the text received is not a mark
   * @param payload at most {@link SizeLimits#PAYLOAD_BYTES_MAX} bytes; do not modify the array
   * @param epoch the only epoch in which the bytes may be written, or {@link UpstreamFrame#ABSENT}
   */
  record Push(long id, @Nullable Mark mark, byte[] payload, long epoch) implements UpstreamControl {
    /** Whether the push names an epoch, and it is not this one. */
    public boolean isFencedIn(int presentEpoch) {
      return epoch != UpstreamFrame.ABSENT && (int) epoch != presentEpoch;
    }
  }
}
