package dev.waymark.engine.base;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.SizeLimits;

/**
 * The limits that the engine enforces. Immutable. One connection may be promised windowBytes +
 * replyWindowBytes of memory; memoryBudgetBytes overrides all promises (rule 10). Instances are
 * made by {@link #builder()}.
 *
 * @param windowBytes unconsumed client bytes that one connection may have under way; an upstream
 *     may ask for less
 * @param initialWindowBytes the window until the upstream's first message on the lane
 * @param replyWindowBytes reply bytes that the owner may send ahead of the client's socket
 * @param replyQueueBytesMax reply bytes that wait for a client whose upstream does not acknowledge,
 *     before it is closed
 * @param memoryBudgetBytes client and reply bytes, plus bufferOverheadBytes for each of their
 *     buffers, that the whole process may hold before it stops reading
 * @param batchBytesMax a batch that has grown to this leaves before the turn ends
 * @param laneQueueBytesMax bytes handed to gRPC ahead of the transport, per lane
 * @param settingsTimeoutNs how long a full initial window waits for the upstream's first message
 * @param commitTimeoutNs how long an incomplete commit is held
 * @param pingIntervalNs a lane silent for this long is sent a Ping
 * @param laneTimeoutNs a lane that is not established after this long, or from which nothing came
 *     for this long after a Ping, is broken
 * @param laneRetry the longest waits before a broken lane is opened again
 * @param creditDelayNs how long credit below half the reply window waits for data to travel with
 * @param lingerTimeoutNs how long a socket that is being closed may take no bytes before it is
 *     reset
 * @param pushWaitNs how long a push waits for the end of a reply
 * @param pushBytesMax pushed bytes of one connection that wait, for that or for the client's socket
 * @param bufferOverheadBytes what each held buffer counts in addition to its bytes: a client may
 *     send one byte at a time, and not read
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
    Backoff laneRetry,
    long creditDelayNs,
    long lingerTimeoutNs,
    long pushWaitNs,
    int pushBytesMax,
    int bufferOverheadBytes) {
  /** A buffer object, and its entries in our queue and in Netty's. */
  public static final int BUFFER_OVERHEAD_BYTES = 192;

  private static final int KIB = 1024;
  private static final long MS = 1_000_000L;

  /** The defaults. */
  public static final Limits DEFAULTS = builder().build();

  public Limits {
    Check.that(windowBytes >= initialWindowBytes, "the window is at least the initial window");
    Check.that(
        initialWindowBytes > 0 && replyWindowBytes > 0, "window and reply window are positive");
    Check.that(pingIntervalNs < laneTimeoutNs, "a Ping fits before its lane is judged");
    Check.that(
        batchBytesMax + 2 * SizeLimits.PAYLOAD_BYTES_MAX <= SizeLimits.BATCH_BYTES_MAX,
        "a full batch and one more frame fit a message");
  }

  /** A builder that starts with the {@link #DEFAULTS}. */
  public static Builder builder() {
    return new Builder();
  }

  /** Each setter sets the component of its name. Confined to its caller. */
  public static final class Builder {
    private int windowBytes = 256 * KIB;
    private int initialWindowBytes = 16 * KIB;
    private int replyWindowBytes = 256 * KIB;
    private int replyQueueBytesMax = 1024 * KIB;
    private long memoryBudgetBytes = 128L * KIB * KIB;
    private int batchBytesMax = 256 * KIB;
    private int laneQueueBytesMax = 1024 * KIB;
    private long settingsTimeoutNs = 1_000 * MS;
    private long commitTimeoutNs = 10_000 * MS;
    private long pingIntervalNs = 2_000 * MS;
    private long laneTimeoutNs = 6_000 * MS;
    private Backoff laneRetry = new Backoff(100 * MS, 10_000 * MS);
    private long creditDelayNs = 20 * MS;
    private long lingerTimeoutNs = 10_000 * MS;
    private long pushWaitNs = 5_000 * MS;
    private int pushBytesMax = 64 * KIB;
    private int bufferOverheadBytes = BUFFER_OVERHEAD_BYTES;

    private Builder() {}

    public Builder windowBytes(int windowBytes) {
      this.windowBytes = windowBytes;
      return this;
    }

    public Builder initialWindowBytes(int initialWindowBytes) {
      this.initialWindowBytes = initialWindowBytes;
      return this;
    }

    public Builder replyWindowBytes(int replyWindowBytes) {
      this.replyWindowBytes = replyWindowBytes;
      return this;
    }

    public Builder replyQueueBytesMax(int replyQueueBytesMax) {
      this.replyQueueBytesMax = replyQueueBytesMax;
      return this;
    }

    public Builder memoryBudgetBytes(long memoryBudgetBytes) {
      this.memoryBudgetBytes = memoryBudgetBytes;
      return this;
    }

    public Builder batchBytesMax(int batchBytesMax) {
      this.batchBytesMax = batchBytesMax;
      return this;
    }

    public Builder laneQueueBytesMax(int laneQueueBytesMax) {
      this.laneQueueBytesMax = laneQueueBytesMax;
      return this;
    }

    public Builder settingsTimeoutNs(long settingsTimeoutNs) {
      this.settingsTimeoutNs = settingsTimeoutNs;
      return this;
    }

    public Builder commitTimeoutNs(long commitTimeoutNs) {
      this.commitTimeoutNs = commitTimeoutNs;
      return this;
    }

    public Builder pingIntervalNs(long pingIntervalNs) {
      this.pingIntervalNs = pingIntervalNs;
      return this;
    }

    public Builder laneTimeoutNs(long laneTimeoutNs) {
      this.laneTimeoutNs = laneTimeoutNs;
      return this;
    }

    public Builder laneRetry(Backoff laneRetry) {
      this.laneRetry = laneRetry;
      return this;
    }

    public Builder creditDelayNs(long creditDelayNs) {
      this.creditDelayNs = creditDelayNs;
      return this;
    }

    public Builder lingerTimeoutNs(long lingerTimeoutNs) {
      this.lingerTimeoutNs = lingerTimeoutNs;
      return this;
    }

    public Builder pushWaitNs(long pushWaitNs) {
      this.pushWaitNs = pushWaitNs;
      return this;
    }

    public Builder pushBytesMax(int pushBytesMax) {
      this.pushBytesMax = pushBytesMax;
      return this;
    }

    public Builder bufferOverheadBytes(int bufferOverheadBytes) {
      this.bufferOverheadBytes = bufferOverheadBytes;
      return this;
    }

    /**
     * Returns the limits.
     *
     * @throws IllegalStateException if they contradict one another
     */
    public Limits build() {
      return new Limits(
          windowBytes,
          initialWindowBytes,
          replyWindowBytes,
          replyQueueBytesMax,
          memoryBudgetBytes,
          batchBytesMax,
          laneQueueBytesMax,
          settingsTimeoutNs,
          commitTimeoutNs,
          pingIntervalNs,
          laneTimeoutNs,
          laneRetry,
          creditDelayNs,
          lingerTimeoutNs,
          pushWaitNs,
          pushBytesMax,
          bufferOverheadBytes);
    }
  }
}
