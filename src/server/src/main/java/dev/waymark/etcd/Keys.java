package dev.waymark.etcd;

import com.google.protobuf.ByteString;

/** Keys of etcd, which are bytes. Stateless. */
final class Keys {
  private static final ByteString ZERO = ByteString.copyFrom(new byte[] {0});
  private static final int BYTE_MAX = 0xff;

  private Keys() {}

  /**
   * The end of the range of all keys with a prefix, exclusive: the last byte that can be
   * incremented is, and those after it are left out (etcd's API, RangeRequest.range_end).
   *
   * @param prefix not only of bytes 0xff
   */
  static ByteString endOf(ByteString prefix) {
    int last = prefix.size() - 1;
    while ((prefix.byteAt(last) & BYTE_MAX) == BYTE_MAX) {
      last--;
    }
    byte next = (byte) (prefix.byteAt(last) + 1);
    return prefix.substring(0, last).concat(ByteString.copyFrom(new byte[] {next}));
  }

  /** The first key after this one. */
  static ByteString after(ByteString key) {
    return key.concat(ZERO);
  }
}
