package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/** Headers of the PROXY protocol for tests. */
final class ProxyHeaders {
  static final String SIGNATURE = "0d0a0d0a000d0a515549540a";
  static final int LOCAL = 0x20;
  static final int PROXY = 0x21;
  static final int TCP4 = 0x11;
  static final int TCP6 = 0x21;
  static final int UNIX = 0x31;

  /** From 192.0.2.1:4660 to 198.51.100.2:443. */
  static final byte[] ADDRESSES4 = hex("c0000201" + "c6336402" + "1234" + "01bb");

  private ProxyHeaders() {}

  static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits.replace(" ", ""));
  }

  static byte[] line(String text) {
    return (text + "\r\n").getBytes(ISO_8859_1);
  }

  static byte[] binary(int command, int family, byte[]... parts) {
    byte[] rest = join(parts);
    byte[] fixed =
        new byte[] {(byte) command, (byte) family, (byte) (rest.length >> 8), (byte) rest.length};
    return join(hex(SIGNATURE), fixed, rest);
  }

  /** A header for a client on TCP over IPv4. */
  static byte[] tcp4(byte[]... tlvs) {
    return binary(PROXY, TCP4, ADDRESSES4, join(tlvs));
  }

  static byte[] tlv(int type, byte[] value) {
    return join(new byte[] {(byte) type, (byte) (value.length >> 8), (byte) value.length}, value);
  }

  static byte[] tlv(int type, String value) {
    return tlv(type, value.getBytes(ISO_8859_1));
  }

  /** The TLV of TLS. */
  static byte[] tls(int client, int verify, byte[]... inner) {
    byte[] start = ByteBuffer.allocate(5).put((byte) client).putInt(verify).array();
    return tlv(0x20, join(start, join(inner)));
  }

  /** The TLV of an AF_UNIX address. */
  static byte[] path(String text) {
    return ByteBuffer.allocate(108).put(text.getBytes(ISO_8859_1)).array();
  }

  /** The header for a client on TCP over IPv4 with its checksum, as the first of these TLVs. */
  static byte[] withChecksum(byte[]... tlvs) {
    byte[] header = tcp4(tlv(0x03, new byte[4]), join(tlvs));
    CRC32C checksum = new CRC32C();
    checksum.update(header);
    int at = 16 + ADDRESSES4.length + 3;
    ByteBuffer.wrap(header).putInt(at, (int) checksum.getValue());
    return header;
  }

  static byte[] join(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
