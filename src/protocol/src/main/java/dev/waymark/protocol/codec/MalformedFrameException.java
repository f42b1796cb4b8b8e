package dev.waymark.protocol.codec;

/**
 * The peer sent bytes that are not a batch of frames, so nothing more can be read from the lane.
 * There is one instance per cause, without a stack trace, because the peer controls how often it is
 * thrown. Immutable.
 */
public final class MalformedFrameException extends Exception {
  static final MalformedFrameException BATCH_TOO_LARGE =
      new MalformedFrameException("a batch of more than 1 MiB");
  static final MalformedFrameException COMPRESSED =
      new MalformedFrameException("a compressed batch, which was not asked for");
  static final MalformedFrameException TRUNCATED =
      new MalformedFrameException("a field ends beyond its frame or batch");
  static final MalformedFrameException VARINT_TOO_LONG =
      new MalformedFrameException("a varint of more than 10 bytes");
  static final MalformedFrameException TAG_INVALID =
      new MalformedFrameException("an invalid field tag");
  static final MalformedFrameException WIRE_TYPE_INVALID =
      new MalformedFrameException("an unmatched end of a group, or an invalid wire type");
  static final MalformedFrameException GROUP_TOO_DEEP =
      new MalformedFrameException("a group nested more than 100 deep");
  static final MalformedFrameException WIRE_TYPE_MISMATCH =
      new MalformedFrameException("a known field with the wrong wire type");
  static final MalformedFrameException PAYLOAD_TOO_LONG =
      new MalformedFrameException("a payload of more than 64 KiB");
  static final MalformedFrameException CONTEXT_TOO_LONG =
      new MalformedFrameException("a context of more than 4 KiB");
  static final MalformedFrameException OPEN_TOO_LONG =
      new MalformedFrameException("an Open of more than 16 KiB");
  static final MalformedFrameException CONTROL_INVALID =
      new MalformedFrameException("a control message that cannot be parsed");
  static final MalformedFrameException OPEN_INVALID =
      new MalformedFrameException("an Open with invalid framing or resume state");

  private static final long serialVersionUID = 1;

  private MalformedFrameException(String message) {
    super(message, null, false, false);
  }
}
