package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.ProxyFacts.Tlv;
import dev.waymark.protocol.SizeLimits;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Collects the TLVs of a PROXY header, version 2, up to {@link SizeLimits#PROXY_BYTES_MAX}. The
 * first of each kind counts; a further one is among the others. Confined to the reading of one
 * header.
 */
final class ProxyTlvs {
  private static final int ALPN = 0x01;
  private static final int AUTHORITY = 0x02;
  private static final int CHECKSUM = 0x03;
  private static final int PADDING = 0x04;
  private static final int UNIQUE_ID = 0x05;
  private static final int TLS = 0x20;
  private static final int TLS_VERSION = 0x21;
  private static final int TLS_COMMON_NAME = 0x22;
  private static final int TLS_CIPHER = 0x23;

  /** Bits of the TLS value's first byte; then comes the result of the verification, 0: good. */
  private static final int IS_TLS = 0x01;

  private static final int HAS_CERTIFICATE = 0x02 | 0x04;

  private static final int TYPE_AND_LENGTH_BYTES = 3;

  /** What a value takes beyond its bytes, roughly: even empty ones must have a bound. */
  private static final int OVERHEAD_BYTES = 16;

  private final List<Tlv> others = new ArrayList<>(0);
  private @Nullable String alpn;
  private @Nullable String authority;
  private byte @Nullable [] uniqueId;
  private ProxyFacts.@Nullable Tls tls;
  private boolean hasChecksum;
  private int keptBytes;
  private boolean isCut;

  /**
   * Reads all values up to the end of a header.
   *
   * @param header all of it, at the first value; its checksum is overwritten
   */
  static ProxyTlvs read(ByteBuffer header) throws ProxyHeaderException {
    ProxyTlvs tlvs = new ProxyTlvs();
    while (header.hasRemaining()) {
      int type = nextType(header);
      if (type == CHECKSUM) {
        tlvs.check(header);
      } else {
        tlvs.add(type, nextValue(header));
      }
    }
    return tlvs;
  }

  ProxyFacts facts(
      int version,
      boolean isLocal,
      String proxyAddress,
      String sourceAddress,
      String destinationAddress) {
    return new ProxyFacts(
        version,
        isLocal,
        proxyAddress,
        sourceAddress,
        destinationAddress,
        orEmpty(authority),
        orEmpty(alpn),
        uniqueId == null ? new byte[0] : uniqueId,
        tls,
        others,
        isCut);
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  private static int nextType(ByteBuffer in) throws ProxyHeaderException {
    if (in.remaining() < TYPE_AND_LENGTH_BYTES) {
      throw ProxyHeaderException.TLV;
    }
    return Byte.toUnsignedInt(in.get());
  }

  /** Returns the value as a part of the header. */
  private static ByteBuffer nextValue(ByteBuffer in) throws ProxyHeaderException {
    int bytes = Short.toUnsignedInt(in.getShort());
    if (bytes > in.remaining()) {
      throw ProxyHeaderException.TLV;
    }
    ByteBuffer value = in.slice(in.position(), bytes);
    in.position(in.position() + bytes);
    return value;
  }

  /** The checksum is that of the header with zeros in the checksum's place. */
  private void check(ByteBuffer header) throws ProxyHeaderException {
    ByteBuffer value = nextValue(header);
    if (value.remaining() != Integer.BYTES || hasChecksum) {
      throw ProxyHeaderException.CHECKSUM_TLV;
    }
    hasChecksum = true;
    int said = value.getInt(0);
    value.putInt(0, 0);
    CRC32C checksum = new CRC32C();
    checksum.update(header.duplicate().clear());
    if ((int) checksum.getValue() != said) {
      throw ProxyHeaderException.CHECKSUM;
    }
  }

  private void add(int type, ByteBuffer value) throws ProxyHeaderException {
    switch (type) {
      case PADDING -> {}
      case ALPN -> alpn = text(alpn, type, value, others);
      case AUTHORITY -> authority = text(authority, type, value, others);
      case UNIQUE_ID -> {
        if (uniqueId == null) {
          uniqueId = kept(value);
        } else {
          addOther(type, value, others);
        }
      }
      case TLS -> {
        if (tls == null) {
          addTls(value);
        } else {
          addOther(type, value, others);
        }
      }
      default -> addOther(type, value, others);
    }
  }

  private void addTls(ByteBuffer value) throws ProxyHeaderException {
    if (value.remaining() < 1 + Integer.BYTES) {
      throw ProxyHeaderException.TLS;
    }
    int client = value.get();
    boolean isGood = value.getInt() == 0;
    String version = null;
    String cipher = null;
    String commonName = null;
    List<Tlv> inner = new ArrayList<>(0);
    while (value.hasRemaining()) {
      int type = nextType(value);
      ByteBuffer innerValue = nextValue(value);
      switch (type) {
        case TLS_VERSION -> version = text(version, type, innerValue, inner);
        case TLS_CIPHER -> cipher = text(cipher, type, innerValue, inner);
        case TLS_COMMON_NAME -> commonName = text(commonName, type, innerValue, inner);
        default -> addOther(type, innerValue, inner);
      }
    }
    if ((client & IS_TLS) != 0) {
      boolean hasCertificate = (client & HAS_CERTIFICATE) != 0;
      tls =
          new ProxyFacts.Tls(
              orEmpty(version),
              orEmpty(cipher),
              hasCertificate,
              // A proxy may say "good" of a certificate that was not there.
              hasCertificate && isGood,
              orEmpty(commonName),
              inner);
    }
  }

  /**
   * Returns what is now known of a text.
   *
   * @param known what came before; stays
   * @param rest gets what cannot be the text
   */
  private @Nullable String text(
      @Nullable String known, int type, ByteBuffer value, List<Tlv> rest) {
    if (known == null) {
      try {
        String text = UTF_8.newDecoder().decode(value.duplicate()).toString();
        return keep(value.remaining()) ? text : null;
      } catch (CharacterCodingException notText) {
        addOther(type, value, rest);
        return null;
      }
    }
    addOther(type, value, rest);
    return known;
  }

  private void addOther(int type, ByteBuffer value, List<Tlv> rest) {
    byte[] bytes = kept(value);
    if (bytes != null) {
      rest.add(new Tlv(type, bytes));
    }
  }

  /** Returns a copy, or null if there is no room for it. */
  private byte @Nullable [] kept(ByteBuffer value) {
    if (!keep(value.remaining())) {
      return null;
    }
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return bytes;
  }

  private boolean keep(int bytes) {
    if (keptBytes + bytes + OVERHEAD_BYTES > SizeLimits.PROXY_BYTES_MAX) {
      isCut = true;
      return false;
    }
    keptBytes += bytes + OVERHEAD_BYTES;
    return true;
  }
}
