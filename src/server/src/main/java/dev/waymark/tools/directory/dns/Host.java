package dev.waymark.tools.directory.dns;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A name in the zone that stands for one address, as the target of SRV records. Confined to the
 * event loop.
 */
final class Host implements Place {
  private static final String IPV4_PREFIX = "ip-";
  private static final String IPV6_PREFIX = "ip6-";

  private final byte[] name;
  private final EncodedRecord record;
  private final RecordType type;
  private long lastAnswer;

  /**
   * @param name as it is on the wire
   * @param ip 4 or 16 bytes
   */
  Host(byte[] name, byte[] ip, int ttlSeconds) {
    this.name = name;
    this.record = EncodedRecord.address(ip, ttlSeconds);
    this.type = ip.length == Integer.BYTES ? RecordType.A : RecordType.AAAA;
  }

  /** The first label of its name: ip-10-0-0-7, or ip6- and 32 hexadecimal digits. */
  static String label(byte[] ip) {
    if (ip.length != Integer.BYTES) {
      return IPV6_PREFIX + HexFormat.of().formatHex(ip);
    }
    StringBuilder label = new StringBuilder(IPV4_PREFIX);
    for (int i = 0; i < ip.length; i++) {
      label.append(i == 0 ? "" : "-").append(ip[i] & 0xff);
    }
    return label.toString();
  }

  /** Whether a label has the form of {@link #label}. */
  static boolean isLabel(String name) {
    return name.startsWith(IPV4_PREFIX) || name.startsWith(IPV6_PREFIX);
  }

  /** Its name, as it is on the wire. */
  byte[] name() {
    return name;
  }

  /** Its address. */
  EncodedRecord record() {
    return record;
  }

  @Override
  public @Nullable RecordSet records(RecordType wanted) {
    return wanted == type ? RecordSet.of(record) : null;
  }

  /**
   * Whether it is mentioned for the first time in an answer.
   *
   * @param answer a number that no other answer has
   */
  boolean enter(long answer) {
    boolean isNew = lastAnswer != answer;
    lastAnswer = answer;
    return isNew;
  }
}
