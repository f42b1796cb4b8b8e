package dev.waymark.tools.directory.xds;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import dev.waymark.xds.proto.Resource;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A resource as it goes to all clients. Immutable.
 *
 * @param any for responses in state of the world
 * @param incremental for the others
 */
record EncodedResource(Any any, Resource incremental) {
  /** So many bytes of a SHA-256 differ if resources do. */
  private static final int VERSION_BYTES = 8;

  /**
   * Encodes a resource. Its version is a digest of its content, so that all directories with the
   * same table name it alike, before and after a restart.
   */
  static EncodedResource of(ResourceType type, String name, Message content) {
    byte[] bytes = encoded(content);
    Any any = Any.newBuilder().setTypeUrl(type.url()).setValue(ByteString.copyFrom(bytes)).build();
    Resource incremental =
        Resource.newBuilder().setName(name).setVersion(digest(bytes)).setResource(any).build();
    return new EncodedResource(any, incremental);
  }

  private static byte[] encoded(Message content) {
    byte[] bytes = new byte[content.getSerializedSize()];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization();
    try {
      content.writeTo(out);
    } catch (IOException cannotBe) {
      throw new IllegalStateException(cannotBe);
    }
    return bytes;
  }

  private static String digest(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(digest, 0, VERSION_BYTES);
    } catch (NoSuchAlgorithmException cannotBe) {
      throw new IllegalStateException(cannotBe);
    }
  }

  String name() {
    return incremental.getName();
  }

  String version() {
    return incremental.getVersion();
  }

  /** How much of a response it takes. */
  int sizeBytes() {
    return incremental.getSerializedSize();
  }
}
