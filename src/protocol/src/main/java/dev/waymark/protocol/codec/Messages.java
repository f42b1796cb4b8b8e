package dev.waymark.protocol.codec;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.Framing;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.Reopen;
import dev.waymark.v1.Framing.Kind;

/** The core's records as generated messages, and back. Stateless. */
final class Messages {
  private static final int DELIMITER_BYTES_MAX = 16;

  private Messages() {}

  static dev.waymark.v1.Hello toProto(Hello hello) {
    return dev.waymark.v1.Hello.newBuilder()
        .setRevision(Hello.REVISION)
        .addAllFeatures(Hello.FEATURES)
        .setInstance(hello.instance())
        .setNode(hello.node())
        .setVersion(hello.version())
        .setPool(hello.pool())
        .setShard(hello.shard())
        .setShards(hello.shards())
        .build();
  }

  static Hello toCore(dev.waymark.v1.Hello hello) {
    return new Hello(
        hello.getInstance(),
        hello.getNode(),
        hello.getVersion(),
        hello.getPool(),
        hello.getShard(),
        hello.getShards());
  }

  static dev.waymark.v1.Open toProto(Open open) {
    var message =
        dev.waymark.v1.Open.newBuilder()
            .setMark(open.mark())
            .setListener(open.listener())
            .setClientAddress(open.clientAddress())
            .setLocalAddress(open.localAddress())
            .setAcceptedUnixMs(open.acceptedUnixMs())
            .setLimit(open.limit());
    if (!(open.framing() instanceof Framing.Raw)) {
      message.setFraming(toProto(open.framing()).setFrameBytesMax(open.frameBytesMax()));
    }
    if (open.reopen() != null) {
      message.setResumeState(toProto(open.reopen()));
    }
    return message.build();
  }

  private static dev.waymark.v1.ResumeState toProto(Reopen reopen) {
    var message =
        dev.waymark.v1.ResumeState.newBuilder()
            .setCauseValue(reopen.cause().wireCode())
            .setFirstOffset(reopen.firstOffset())
            .setCommitted(reopen.taken())
            .setCommittedSinceConsumed(reopen.takenSinceConsumed())
            .setRepliesEnded(reopen.isRepliesEnded())
            .setReplyWindowBytes(reopen.grantBytes());
    if (reopen.clientEndedAt() >= 0) {
      message.setClientEndedAt(reopen.clientEndedAt());
    }
    if (reopen.context() != null) {
      message.setContext(ByteString.copyFrom(reopen.context()));
    }
    return message.build();
  }

  private static Reopen toCore(dev.waymark.v1.ResumeState reopen) throws MalformedFrameException {
    demand(reopen.getFirstOffset() >= 0 && reopen.getCommitted() >= 0);
    demand(
        reopen.getCommittedSinceConsumed() >= 0
            && reopen.getCommittedSinceConsumed() <= reopen.getCommitted());
    demand(reopen.getReplyWindowBytes() >= 0);
    demand(!reopen.hasClientEndedAt() || reopen.getClientEndedAt() >= reopen.getFirstOffset());
    return new Reopen(
        Reopen.Cause.ofWireCode(reopen.getCauseValue()),
        reopen.getFirstOffset(),
        reopen.getCommitted(),
        reopen.getCommittedSinceConsumed(),
        reopen.hasClientEndedAt() ? reopen.getClientEndedAt() : -1,
        reopen.getRepliesEnded(),
        reopen.getReplyWindowBytes(),
        reopen.getContext().isEmpty() ? null : reopen.getContext().toByteArray());
  }

  static Open toCore(dev.waymark.v1.Open open) throws MalformedFrameException {
    demand(open.getFraming().getFrameBytesMax() >= 0);
    return new Open(
        open.getMark(),
        open.getListener(),
        open.getClientAddress(),
        open.getLocalAddress(),
        open.getAcceptedUnixMs(),
        toCore(open.getFraming()),
        open.getFraming().getFrameBytesMax(),
        open.getLimit() < 0 ? Long.MAX_VALUE : open.getLimit(),
        open.hasResumeState() ? toCore(open.getResumeState()) : null);
  }

  private static dev.waymark.v1.Framing.Builder toProto(Framing framing) {
    var message = dev.waymark.v1.Framing.newBuilder();
    if (framing instanceof Framing.Line) {
      message.setKind(Kind.LINE);
    } else if (framing instanceof Framing.Delimiter delimited) {
      message.setKind(Kind.DELIMITER).setDelimiter(ByteString.copyFrom(delimited.delimiter()));
    } else if (framing instanceof Framing.Fixed fixed) {
      message.setKind(Kind.FIXED).setSize(fixed.bytes());
    } else if (framing instanceof Framing.LengthPrefixed prefixed) {
      message
          .setKind(Kind.LENGTH_PREFIXED)
          .setLengthOffset(prefixed.lengthOffset())
          .setLengthBytes(prefixed.lengthBytes())
          .setLittleEndian(prefixed.littleEndian())
          .setLengthAdjustment(prefixed.lengthAdjustment());
    } else if (framing instanceof Framing.Varint) {
      message.setKind(Kind.VARINT);
    }
    return message;
  }

  private static Framing toCore(dev.waymark.v1.Framing framing) throws MalformedFrameException {
    return switch (framing.getKind()) {
      // A kind that is not known here cuts nothing here: the bytes are the client's own in any case
      // (rule 1).
      case RAW, UNRECOGNIZED -> Framing.RAW;
      case LINE -> new Framing.Line();
      case DELIMITER -> delimiter(framing);
      case FIXED -> fixed(framing);
      case LENGTH_PREFIXED -> lengthPrefixed(framing);
      case VARINT -> new Framing.Varint();
    };
  }

  private static Framing delimiter(dev.waymark.v1.Framing framing) throws MalformedFrameException {
    int bytes = framing.getDelimiter().size();
    demand(bytes > 0 && bytes <= DELIMITER_BYTES_MAX);
    return new Framing.Delimiter(framing.getDelimiter().toByteArray());
  }

  private static Framing fixed(dev.waymark.v1.Framing framing) throws MalformedFrameException {
    demand(framing.getSize() > 0);
    return new Framing.Fixed(framing.getSize());
  }

  private static Framing lengthPrefixed(dev.waymark.v1.Framing framing)
      throws MalformedFrameException {
    boolean isLength =
        switch (framing.getLengthBytes()) {
          case 1, 2, 3, 4, 8 -> true;
          default -> false;
        };
    demand(isLength && framing.getLengthOffset() >= 0);
    return new Framing.LengthPrefixed(
        framing.getLengthOffset(),
        framing.getLengthBytes(),
        framing.getLittleEndian(),
        framing.getLengthAdjustment());
  }

  private static void demand(boolean holds) throws MalformedFrameException {
    if (!holds) {
      throw MalformedFrameException.FRAMING_INVALID;
    }
  }
}
