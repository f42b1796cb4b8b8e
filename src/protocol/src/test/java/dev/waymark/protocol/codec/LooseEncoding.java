package dev.waymark.protocol.codec;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.Type;
import com.google.protobuf.Message;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Encodes messages in ways that few encoders use but every parser must accept (protobuf's encoding
 * guide): fields in any order, overlong varints, values overridden by a later one, messages in
 * parts, explicit defaults, unknown fields of every wire type.
 */
final class LooseEncoding {
  private static final int UNKNOWN_FIELD_MIN = 100;
  private static final int UNKNOWN_DEPTH_MAX = 5;

  private final Random random;

  LooseEncoding(long seed) {
    random = new Random(seed);
  }

  byte[] encode(Message message) throws IOException {
    return encode(message, true);
  }

  /**
   * Encodes a message or one part of it.
   *
   * @param isWhole whether this is the whole message: only then may omitted fields be encoded with
   *     their defaults
   */
  private byte[] encode(Message message, boolean isWhole) throws IOException {
    List<byte[]> encoded = new ArrayList<>();
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      encoded.add(field(message, field.getKey(), field.getValue()));
    }
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      boolean isLeftOut = isWhole && !field.isRepeated() && !field.hasPresence();
      if (isLeftOut && message.getField(field).equals(field.getDefaultValue()) && oneInFour()) {
        encoded.add(value(field, field.getDefaultValue()));
      }
    }
    while (oneInFour()) {
      encoded.add(unknown(0));
    }
    Collections.shuffle(encoded, random);
    return joined(encoded);
  }

  private byte[] field(Message message, FieldDescriptor field, Object value) throws IOException {
    List<byte[]> encoded = new ArrayList<>();
    if (field.isRepeated()) {
      for (Object element : (List<?>) value) {
        encoded.add(value(field, element));
      }
    } else if (field.getType() == Type.MESSAGE) {
      if (field.getRealContainingOneof() != null && oneInFour()) {
        encoded.add(otherMember(message, field));
      }
      List<Message> parts = parts((Message) value);
      for (Message part : parts) {
        encoded.add(delimited(field, encode(part, parts.size() == 1)));
      }
    } else {
      if (oneInFour()) {
        encoded.add(value(field, field.getDefaultValue()));
      }
      encoded.add(value(field, value));
    }
    return joined(encoded);
  }

  /** A member of the same oneof, which the field encoded after it replaces. */
  private byte[] otherMember(Message message, FieldDescriptor field) {
    List<FieldDescriptor> members = field.getRealContainingOneof().getFields();
    FieldDescriptor other = members.get(random.nextInt(members.size()));
    return other == field
        ? new byte[0]
        : value(other, message.newBuilderForType().getFieldBuilder(other).build());
  }

  /** The message itself, or two messages whose merger it is. */
  private List<Message> parts(Message whole) {
    if (random.nextBoolean()) {
      return List.of(whole);
    }
    Message.Builder first = whole.toBuilder();
    Message.Builder second = whole.toBuilder();
    for (FieldDescriptor field : whole.getAllFields().keySet()) {
      (random.nextBoolean() ? first : second).clearField(field);
    }
    return List.of(first.build(), second.build());
  }

  private byte[] value(FieldDescriptor field, Object value) {
    try {
      var out = new ByteArrayOutputStream();
      int wireType = field.getLiteType().getWireType();
      varint(out, (long) field.getNumber() << 3 | wireType, 5);
      byte[] exact = exact(field, value);
      switch (wireType) {
        case WireFormat.WIRETYPE_VARINT -> varint(out, varintOf(exact), 10);
        case WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
          return delimited(
              field, value instanceof Message nested ? encode(nested) : content(exact));
        }
        default -> out.write(exact);
      }
      return out.toByteArray();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private byte[] delimited(FieldDescriptor field, byte[] content) throws IOException {
    var out = new ByteArrayOutputStream();
    varint(out, (long) field.getNumber() << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED, 5);
    varint(out, content.length, 5);
    out.write(content);
    return out.toByteArray();
  }

  /** The value as the generated classes encode it, without its tag. */
  private static byte[] exact(FieldDescriptor field, Object value) throws IOException {
    var out = new ByteArrayOutputStream();
    CodedOutputStream coded = CodedOutputStream.newInstance(out);
    switch (field.getType()) {
      case UINT64 -> coded.writeUInt64NoTag((long) value);
      case INT64 -> coded.writeInt64NoTag((long) value);
      case UINT32 -> coded.writeUInt32NoTag((int) value);
      case SINT32 -> coded.writeSInt32NoTag((int) value);
      case FIXED64 -> coded.writeFixed64NoTag((long) value);
      case DOUBLE -> coded.writeDoubleNoTag((double) value);
      case BOOL -> coded.writeBoolNoTag((boolean) value);
      case ENUM -> coded.writeEnumNoTag(((EnumValueDescriptor) value).getNumber());
      case STRING -> coded.writeStringNoTag((String) value);
      case BYTES -> coded.writeBytesNoTag((ByteString) value);
      case MESSAGE -> {}
      default -> throw new AssertionError(field);
    }
    coded.flush();
    return out.toByteArray();
  }

  private static byte[] content(byte[] delimited) throws IOException {
    return CodedInputStream.newInstance(delimited).readByteArray();
  }

  private static long varintOf(byte[] exact) throws IOException {
    return CodedInputStream.newInstance(exact).readRawVarint64();
  }

  private byte[] unknown(int depth) throws IOException {
    var out = new ByteArrayOutputStream();
    int field = UNKNOWN_FIELD_MIN + random.nextInt(1 << 20);
    int wireType = depth < UNKNOWN_DEPTH_MAX ? random.nextInt(6) : 0;
    if (wireType == WireFormat.WIRETYPE_END_GROUP) {
      return unknown(depth);
    }
    varint(out, (long) field << 3 | wireType, 5);
    switch (wireType) {
      case WireFormat.WIRETYPE_VARINT -> varint(out, random.nextLong(), 10);
      case WireFormat.WIRETYPE_FIXED64 -> out.write(new byte[8]);
      case WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
        varint(out, 3, 5);
        out.write(new byte[3]);
      }
      case WireFormat.WIRETYPE_START_GROUP -> {
        while (random.nextBoolean()) {
          out.write(unknown(depth + 1));
        }
        varint(out, (long) field << 3 | WireFormat.WIRETYPE_END_GROUP, 5);
      }
      default -> out.write(new byte[4]);
    }
    return out.toByteArray();
  }

  /** Writes a varint, sometimes overlong, with at most {@code bytesMax} bytes. */
  private void varint(ByteArrayOutputStream out, long value, int bytesMax) {
    int needed = Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(value) + 6) / 7);
    int bytes = needed + (oneInFour() ? random.nextInt(bytesMax - needed + 1) : 0);
    long rest = value;
    for (int i = 1; i < bytes; i++) {
      out.write((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  private boolean oneInFour() {
    return random.nextInt(4) == 0;
  }

  private static byte[] joined(List<byte[]> encoded) throws IOException {
    var out = new ByteArrayOutputStream();
    for (byte[] field : encoded) {
      out.write(field);
    }
    return out.toByteArray();
  }
}
