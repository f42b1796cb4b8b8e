package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a bridge needs to know of a ClientHello before the TLS engine sees it (RFC 8446, section
 * 4.1.2). Immutable.
 *
 * @param serverName SNI in lower case (RFC 6066, section 3); null if there is none
 * @param applicationProtocols ALPN (RFC 7301, section 3.1); empty if there is none
 */
record ClientHello(@Nullable String serverName, List<String> applicationProtocols) {
  /** The type of a record with a part of a handshake. */
  static final int HANDSHAKE_RECORD = 22;

  private static final int MAJOR_VERSION = 3;

  /** Of a record's header and the type of its first message. */
  private static final int RECORD_START_BYTES = 6;

  private static final int CLIENT_HELLO = 1;
  private static final int VERSION_AND_RANDOM_BYTES = 34;
  private static final int SERVER_NAME = 0;
  private static final int ALPN = 16;
  private static final int HOST_NAME = 0;

  /** Upstreams and logs see the name, so it is no longer than DNS allows, and printable. */
  private static final Pattern HOST = Pattern.compile("[!-~]{1,255}");

  /** Whether these bytes start like a record with a ClientHello (RFC 8446, section 5.1). */
  static boolean isAtStartOf(ByteBuf bytes) {
    int at = bytes.readerIndex();
    return bytes.readableBytes() >= RECORD_START_BYTES
        && bytes.getByte(at) == HANDSHAKE_RECORD
        && bytes.getByte(at + 1) == MAJOR_VERSION
        && bytes.getByte(at + RECORD_START_BYTES - 1) == CLIENT_HELLO;
  }

  /**
   * Reads a ClientHello without its header. What is malformed counts as absent: the TLS engine
   * refuses it with the proper alert.
   *
   * @param hello not released; its indices do not change
   */
  static ClientHello read(ByteBuf hello) {
    String serverName = null;
    List<String> protocols = List.of();
    try {
      ByteBuf rest = hello.duplicate().skipBytes(VERSION_AND_RANDOM_BYTES);
      rest.skipBytes(rest.readUnsignedByte());
      rest.skipBytes(rest.readUnsignedShort());
      rest.skipBytes(rest.readUnsignedByte());
      ByteBuf extensions = rest.isReadable() ? rest.readSlice(rest.readUnsignedShort()) : rest;
      while (extensions.isReadable()) {
        int type = extensions.readUnsignedShort();
        ByteBuf extension = extensions.readSlice(extensions.readUnsignedShort());
        if (type == SERVER_NAME) {
          serverName = serverName(extension);
        } else if (type == ALPN) {
          protocols = protocols(extension);
        }
      }
    } catch (IndexOutOfBoundsException malformed) {
      return new ClientHello(serverName, protocols);
    }
    return new ClientHello(serverName, protocols);
  }

  private static @Nullable String serverName(ByteBuf extension) {
    ByteBuf names = extension.readSlice(extension.readUnsignedShort());
    if (names.readUnsignedByte() != HOST_NAME) {
      return null;
    }
    String name = names.readCharSequence(names.readUnsignedShort(), US_ASCII).toString();
    return HOST.matcher(name).matches() ? name.toLowerCase(Locale.ROOT) : null;
  }

  private static List<String> protocols(ByteBuf extension) {
    ByteBuf names = extension.readSlice(extension.readUnsignedShort());
    List<String> protocols = new ArrayList<>();
    while (names.isReadable()) {
      protocols.add(names.readCharSequence(names.readUnsignedByte(), ISO_8859_1).toString());
    }
    return List.copyOf(protocols);
  }
}
