package dev.waymark.protocol;

/** The largest sizes that the protocol allows, in bytes (docs/protocol.md). Constants. */
public final class SizeLimits {
  /** The largest payload of a frame. */
  public static final int PAYLOAD_BYTES_MAX = 64 * 1024;

  /** The largest batch. */
  public static final int BATCH_BYTES_MAX = 1024 * 1024;

  /** The largest Open. */
  public static final int OPEN_BYTES_MAX = 16 * 1024;

  /** The largest context that an upstream may leave with a connection. */
  public static final int CONTEXT_BYTES_MAX = 4 * 1024;

  /** The largest sum of what a proxy says about a client, addresses excluded. */
  public static final int PROXY_BYTES_MAX = 4 * 1024;

  /** The largest sum of the names in a client's certificate. */
  public static final int CERTIFICATE_NAME_BYTES_MAX = 4 * 1024;

  private SizeLimits() {}
}
