package dev.waymark.engine.base;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.SizeLimits;

/**
 * The bounds that the machines of the engine enforce. Immutable. Memory that may be promised to one
 * connection: windowBytes + replyWindowBytes; memoryBudgetBytes overrides all promises (rule 10).
 *
 * @param windowBytes unconsumed client bytes that one connection may have under way; an upstream
 *     may ask for less
 * @param initialWindowBytes the window until the upstream's first message on the lane
 * @param replyWindowBytes reply bytes that the owner may send ahead of the client's socket
 * @param replyQueueBytesMax reply bytes that wait for a client whose upstream does not acknowledge,
 *     before it is closed
 * @param memoryBudgetBytes client and reply bytes that the whole process holds, and
 *     bufferOverheadBytes for each buffer of them, before it stops reading
 * @param batchBytesMax a batch that has grown to this leaves before the turn ends
 * @param laneQueueBytesMax bytes handed to gRPC ahead of the transport, per lane
 * @param settingsTimeoutNs how long a full initial window waits for the upstream's first message
 * @param commitTimeoutNs how long an incomplete commit is held
 * @param pingIntervalNs a lane silent for this long is sent a Ping
 * @param laneTimeoutNs a lane that is not established after this long, or from which nothing came
 *     for this long after a Ping, is broken
 * @param laneRetryMinNs first wait before a broken lane is opened again; doubled each time
 * @param laneRetryMaxNs longest wait before a broken lane is opened again
 * @param creditDelayNs how long credit below half the reply window waits for data to travel with
 * @param lingerTimeoutNs how long a socket that is being closed may take no bytes before it is
 *     reset
 * @param pushWaitNs how long a push waits for the end of a reply
 * @param pushBytesMax pushed bytes of one connection that wait, for that or for the client's socket
 * @param bufferOverheadBytes what each held buffer counts for besides its bytes: a client may send
 *     one byte at a time, and not read
 */
public record Limits(
    int windowBytes,
    int initialWindowBytes,
    int replyWindowBytes,
    int replyQueueBytesMax,
    long memoryBudgetBytes,
    int batchBytesMax,
    int laneQueueBytesMax,
    long settingsTimeoutNs,
    long commitTimeoutNs,
    long pingIntervalNs,
    long laneTimeoutNs,
    long laneRetryMinNs,
    long laneRetryMaxNs,
    long creditDelayNs,
    long lingerTimeoutNs,
    long pushWaitNs,
    int pushBytesMax,
    int bufferOverheadBytes) {
  /** A buffer, and its places in our queue and in Netty's. */
  public static final int BUFFER_OVERHEAD_BYTES = 192;

  private static final int KIB = 1024;
  private static final long MS = 1_000_000L;

  /** The defaults. */
  public static final Limits DEFAULTS =
      new Limits(
          256 * KIB,
          16 * KIB,
          256 * KIB,
          1024 * KIB,
          128L * KIB * KIB,
          256 * KIB,
          1024 * KIB,
          1_000 * MS,
          10_000 * MS,
          2_000 * MS,
          6_000 * MS,
          100 * MS,
          10_000 * MS,
          20 * MS,
          10_000 * MS,
          5_000 * MS,
          64 * KIB,
          BUFFER_OVERHEAD_BYTES);

  public Limits {
    Check.that(windowBytes >= initialWindowBytes, "the window is at least the initial window");
    Check.that(initialWindowBytes > 0 && replyWindowBytes > 0, "window and grant are positive");
    Check.that(pingIntervalNs < laneTimeoutNs, "a Ping fits before its lane is judged");
    Check.that(laneRetryMinNs <= laneRetryMaxNs, "the retry's bounds are in order");
    Check.that(
        batchBytesMax + 2 * SizeLimits.PAYLOAD_BYTES_MAX <= SizeLimits.BATCH_BYTES_MAX,
        "a full batch and one more frame fit a message");
  }

  /** The same with another budget. */
  public Limits withMemoryBudgetBytes(long bytes) {
    return new Limits(
        windowBytes,
        initialWindowBytes,
        replyWindowBytes,
        replyQueueBytesMax,
        bytes,
        batchBytesMax,
        laneQueueBytesMax,
        settingsTimeoutNs,
        commitTimeoutNs,
        pingIntervalNs,
        laneTimeoutNs,
        laneRetryMinNs,
        laneRetryMaxNs,
        creditDelayNs,
        lingerTimeoutNs,
        pushWaitNs,
        pushBytesMax,
        bufferOverheadBytes);
  }
}
