package dev.waymark.protocol.codec;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.Framing;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.ResumeState;
import dev.waymark.protocol.TlsFacts;
import dev.waymark.v1.Framing.Kind;
import dev.waymark.v1.ProxyTls;
import dev.waymark.v1.ProxyTlv;
import java.time.Instant;
import java.util.List;

/** Converts records to generated messages and back. Stateless. */
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

  static Hello fromProto(dev.waymark.v1.Hello hello) {
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
    if (open.proxy() != null) {
      message.setProxy(toProto(open.proxy()));
    }
    if (open.tls() != null) {
      message.setTls(toProto(open.tls()));
    }
    if (open.resumeState() != null) {
      message.setResumeState(toProto(open.resumeState()));
    }
    return message.build();
  }

  private static dev.waymark.v1.TlsFacts toProto(TlsFacts facts) {
    var message =
        dev.waymark.v1.TlsFacts.newBuilder()
            .setVersion(facts.version())
            .setCipher(facts.cipher())
            .setServerName(facts.serverName())
            .setApplicationProtocol(facts.applicationProtocol());
    TlsFacts.ClientCertificate client = facts.client();
    if (client != null) {
      message
          .setClientSubject(client.subject())
          .addAllClientAlternativeNames(client.alternativeNames())
          .setClientNamesCut(client.areNamesCut())
          .setClientSerial(client.serial())
          .setClientCertificateSha256(ByteString.copyFrom(client.sha256()))
          .setClientNotBeforeUnixMs(client.notBefore().toEpochMilli())
          .setClientNotAfterUnixMs(client.notAfter().toEpochMilli());
    }
    return message.build();
  }

  private static TlsFacts fromProto(dev.waymark.v1.TlsFacts facts) {
    TlsFacts.ClientCertificate client =
        facts.getClientCertificateSha256().isEmpty()
            ? null
            : new TlsFacts.ClientCertificate(
                facts.getClientSubject(),
                facts.getClientAlternativeNamesList(),
                facts.getClientNamesCut(),
                facts.getClientSerial(),
                facts.getClientCertificateSha256().toByteArray(),
                Instant.ofEpochMilli(facts.getClientNotBeforeUnixMs()),
                Instant.ofEpochMilli(facts.getClientNotAfterUnixMs()));
    return new TlsFacts(
        facts.getVersion(),
        facts.getCipher(),
        facts.getServerName(),
        facts.getApplicationProtocol(),
        client);
  }

  private static dev.waymark.v1.ProxyFacts toProto(ProxyFacts facts) {
    var message =
        dev.waymark.v1.ProxyFacts.newBuilder()
            .setVersion(facts.version())
            .setLocal(facts.isLocal())
            .setProxyAddress(facts.proxyAddress())
            .setSourceAddress(facts.sourceAddress())
            .setDestinationAddress(facts.destinationAddress())
            .setAuthority(facts.authority())
            .setApplicationProtocol(facts.applicationProtocol())
            .setUniqueId(ByteString.copyFrom(facts.uniqueId()))
            .addAllOthers(toProto(facts.others()))
            .setCut(facts.isCut());
    ProxyFacts.Tls tls = facts.tls();
    if (tls != null) {
      message.setTls(
          ProxyTls.newBuilder()
              .setVersion(tls.version())
              .setCipher(tls.cipher())
              .setClientCertificate(tls.hasClientCertificate())
              .setVerified(tls.isVerified())
              .setCommonName(tls.commonName())
              .addAllOthers(toProto(tls.others())));
    }
    return message.build();
  }

  private static List<ProxyTlv> toProto(List<ProxyFacts.Tlv> others) {
    return others.stream()
        .map(other ->
            ProxyTlv.newBuilder()
                .setType(other.type())
                .setValue(ByteString.copyFrom(other.value()))
                .build())
        .toList();
  }

  private static ProxyFacts fromProto(dev.waymark.v1.ProxyFacts facts) {
    return new ProxyFacts(
        facts.getVersion(),
        facts.getLocal(),
        facts.getProxyAddress(),
        facts.getSourceAddress(),
        facts.getDestinationAddress(),
        facts.getAuthority(),
        facts.getApplicationProtocol(),
        facts.getUniqueId().toByteArray(),
        facts.hasTls() ? fromProto(facts.getTls()) : null,
        fromProto(facts.getOthersList()),
        facts.getCut());
  }

  private static ProxyFacts.Tls fromProto(ProxyTls tls) {
    return new ProxyFacts.Tls(
        tls.getVersion(),
        tls.getCipher(),
        tls.getClientCertificate(),
        tls.getVerified(),
        tls.getCommonName(),
        fromProto(tls.getOthersList()));
  }

  private static List<ProxyFacts.Tlv> fromProto(List<ProxyTlv> others) {
    return others.stream()
        .map(other -> new ProxyFacts.Tlv(other.getType(), other.getValue().toByteArray()))
        .toList();
  }

  private static dev.waymark.v1.ResumeState toProto(ResumeState state) {
    var message =
        dev.waymark.v1.ResumeState.newBuilder()
            .setCauseValue(state.cause().wireCode())
            .setFirstOffset(state.firstOffset())
            .setCommitted(state.committed())
            .setCommittedSinceConsumed(state.committedSinceConsumed())
            .setRepliesEnded(state.isRepliesEnded())
            .setReplyWindowBytes(state.replyWindowBytes());
    if (state.clientEndedAt() >= 0) {
      message.setClientEndedAt(state.clientEndedAt());
    }
    if (state.context() != null) {
      message.setContext(ByteString.copyFrom(state.context()));
    }
    return message.build();
  }

  private static ResumeState fromProto(dev.waymark.v1.ResumeState state)
      throws MalformedFrameException {
    require(state.getFirstOffset() >= 0 && state.getCommitted() >= 0);
    require(
        state.getCommittedSinceConsumed() >= 0
            && state.getCommittedSinceConsumed() <= state.getCommitted());
    require(state.getReplyWindowBytes() >= 0);
    require(!state.hasClientEndedAt() || state.getClientEndedAt() >= state.getFirstOffset());
    return new ResumeState(
        ResumeState.Cause.ofWireCode(state.getCauseValue()),
        state.getFirstOffset(),
        state.getCommitted(),
        state.getCommittedSinceConsumed(),
        state.hasClientEndedAt() ? state.getClientEndedAt() : -1,
        state.getRepliesEnded(),
        state.getReplyWindowBytes(),
        state.getContext().isEmpty() ? null : state.getContext().toByteArray());
  }

  static Open fromProto(dev.waymark.v1.Open open) throws MalformedFrameException {
    require(open.getFraming().getFrameBytesMax() >= 0);
    return new Open(
        open.getMark(),
        open.getListener(),
        open.getClientAddress(),
        open.getLocalAddress(),
        open.getAcceptedUnixMs(),
        fromProto(open.getFraming()),
        open.getFraming().getFrameBytesMax(),
        open.getLimit() < 0 ? Long.MAX_VALUE : open.getLimit(),
        open.hasProxy() ? fromProto(open.getProxy()) : null,
        open.hasTls() ? fromProto(open.getTls()) : null,
        open.hasResumeState() ? fromProto(open.getResumeState()) : null);
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

  private static Framing fromProto(dev.waymark.v1.Framing framing) throws MalformedFrameException {
    return switch (framing.getKind()) {
      // An unknown kind is as good as raw: framing never changes the bytes (rule 1).
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
    require(bytes > 0 && bytes <= DELIMITER_BYTES_MAX);
    return new Framing.Delimiter(framing.getDelimiter().toByteArray());
  }

  private static Framing fixed(dev.waymark.v1.Framing framing) throws MalformedFrameException {
    require(framing.getSize() > 0);
    return new Framing.Fixed(framing.getSize());
  }

  private static Framing lengthPrefixed(dev.waymark.v1.Framing framing)
      throws MalformedFrameException {
    boolean isValidSize =
        switch (framing.getLengthBytes()) {
          case 1, 2, 3, 4, 8 -> true;
          default -> false;
        };
    require(isValidSize && framing.getLengthOffset() >= 0);
    return new Framing.LengthPrefixed(
        framing.getLengthOffset(),
        framing.getLengthBytes(),
        framing.getLittleEndian(),
        framing.getLengthAdjustment());
  }

  private static void require(boolean holds) throws MalformedFrameException {
    if (!holds) {
      throw MalformedFrameException.OPEN_INVALID;
    }
  }
}
