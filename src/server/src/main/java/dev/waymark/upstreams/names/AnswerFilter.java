package dev.waymark.upstreams.names;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.util.ReferenceCountUtil;
import java.net.SocketAddress;
import java.util.Locale;

/**
 * Checks the messages of name servers before Netty's resolver sees them. The resolver would use
 * whatever it can read of an incomplete message, and would follow referrals to any server. An
 * incomplete message becomes a SERVFAIL; a complete one is reduced to its answer section, without
 * referrals. A message that answers no query of this channel is dropped and proves nothing.
 * Confined to the control thread.
 */
final class AnswerFilter extends ChannelDuplexHandler {
  /** The length field before each message over TCP (RFC 1035, section 4.2.2). */
  static final int TCP_LENGTH_BYTES = 2;

  // RFC 1035, section 4.1.1.
  private static final int HEADER_BYTES = 12;
  private static final int FLAGS_INDEX = 2;
  private static final int RESPONSE = 0x8000;
  private static final int TRUNCATED = 0x0200;
  private static final int RCODE_MASK = 0x000F;
  private static final int QUESTIONS_INDEX = 4;
  private static final int ANSWERS_INDEX = 6;
  private static final int AUTHORITIES_INDEX = 8;
  private static final int ADDITIONALS_INDEX = 10;

  /** The type and class of a question. */
  private static final int QUESTION_TAIL_BYTES = 4;

  /** The type, class and TTL of a record, before the length of its data. */
  private static final int RECORD_HEAD_BYTES = 8;

  private static final int TYPE_A = 1;
  private static final int TYPE_AAAA = 28;
  private static final int IPV4_BYTES = 4;
  private static final int IPV6_BYTES = 16;

  /** Set in a label's length byte if a compression pointer takes the place of the label. */
  private static final int POINTER = 0xC0;

  private static final int INCOMPLETE = -1;

  private final LookupNotes notes;
  private final SentQueries sent = new SentQueries();

  /**
   * @param notes records every message that counts
   */
  AnswerFilter(LookupNotes notes) {
    this.notes = notes;
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    switch (message) {
      case DatagramPacket packet -> recordQuery(packet.recipient(), packet.content().slice());
      case ByteBuf framed ->
          recordQuery(
              context.channel().remoteAddress(),
              framed.slice(
                  framed.readerIndex() + TCP_LENGTH_BYTES,
                  framed.readableBytes() - TCP_LENGTH_BYTES));
      default -> {}
    }
    context.write(message, promise);
  }

  private void recordQuery(SocketAddress server, ByteBuf query) {
    int end = questionsEnd(query, query.getUnsignedShort(QUESTIONS_INDEX));
    sent.add(server, query, HEADER_BYTES, end);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    boolean isWanted =
        switch (message) {
          case DatagramPacket packet -> filter(packet.sender(), packet.content(), 0);
          case ByteBuf framed ->
              filter(context.channel().remoteAddress(), framed, TCP_LENGTH_BYTES);
          default -> true;
        };
    if (isWanted) {
      context.fireChannelRead(message);
    } else {
      ReferenceCountUtil.release(message);
    }
  }

  /** Rewrites the message in place; returns false if it must be dropped. */
  private boolean filter(SocketAddress server, ByteBuf buffer, int prefixBytes) {
    int start = buffer.readerIndex() + prefixBytes;
    ByteBuf message = buffer.slice(start, Math.max(0, buffer.writerIndex() - start));
    int questionsEnd =
        message.readableBytes() < HEADER_BYTES
            ? INCOMPLETE
            : questionsEnd(message, message.getUnsignedShort(QUESTIONS_INDEX));
    if (questionsEnd == INCOMPLETE) {
      notes.onNotDns(server);
      return false;
    }
    boolean isResponse = (message.getUnsignedShort(FLAGS_INDEX) & RESPONSE) != 0;
    if (!isResponse || !sent.isAnswer(server, message, HEADER_BYTES, questionsEnd)) {
      return false;
    }
    int answers = message.getUnsignedShort(ANSWERS_INDEX);
    int others =
        message.getUnsignedShort(AUTHORITIES_INDEX) + message.getUnsignedShort(ADDITIONALS_INDEX);
    boolean isTruncated = (message.getUnsignedShort(FLAGS_INDEX) & TRUNCATED) != 0;
    int answersEnd = isTruncated ? questionsEnd : recordsEnd(message, questionsEnd, answers);
    boolean isComplete =
        answersEnd != INCOMPLETE
            && (isTruncated || recordsEnd(message, answersEnd, others) != INCOMPLETE);
    int end = isComplete ? answersEnd : questionsEnd;
    String name = name(message);
    if (isTruncated) {
      notes.onTruncated(server, name);
    } else if (isComplete) {
      notes.onAnswer(server, name, message.getUnsignedShort(FLAGS_INDEX) & RCODE_MASK);
    } else {
      notes.onIncomplete(server, name);
      int flags = message.getUnsignedShort(FLAGS_INDEX) & ~RCODE_MASK;
      message.setShort(FLAGS_INDEX, flags | DnsResponseCode.SERVFAIL.intValue());
    }
    message.setShort(ANSWERS_INDEX, isComplete && !isTruncated ? answers : 0);
    message.setInt(AUTHORITIES_INDEX, 0);
    if (prefixBytes > 0) {
      buffer.setShort(buffer.readerIndex(), end);
    }
    buffer.writerIndex(start + end);
    return true;
  }

  /** Returns the name in the first question, in lower case and with a trailing dot. */
  private static String name(ByteBuf message) {
    StringBuilder name = new StringBuilder();
    int index = HEADER_BYTES;
    int length = message.getUnsignedByte(index);
    while (length > 0 && length < POINTER) {
      name.append(message.toString(index + 1, length, ISO_8859_1)).append('.');
      index += 1 + length;
      length = message.getUnsignedByte(index);
    }
    return name.toString().toLowerCase(Locale.ROOT);
  }

  /** Returns the index after the question section, or {@link #INCOMPLETE}. */
  private static int questionsEnd(ByteBuf message, int count) {
    int index = count == 0 ? INCOMPLETE : HEADER_BYTES;
    for (int i = 0; i < count && index != INCOMPLETE; i++) {
      index = skip(message, nameEnd(message, index), QUESTION_TAIL_BYTES);
    }
    return index;
  }

  /** Returns the index after this many records, or {@link #INCOMPLETE}. */
  private static int recordsEnd(ByteBuf message, int from, int count) {
    int index = from;
    for (int i = 0; i < count && index != INCOMPLETE; i++) {
      int lengthIndex = skip(message, nameEnd(message, index), RECORD_HEAD_BYTES);
      int dataIndex = skip(message, lengthIndex, Short.BYTES);
      index =
          dataIndex == INCOMPLETE || !hasValidLength(message, lengthIndex)
              ? INCOMPLETE
              : skip(message, dataIndex, message.getUnsignedShort(lengthIndex));
    }
    return index;
  }

  /** Whether the data of an address record has the length of an address of its family. */
  private static boolean hasValidLength(ByteBuf message, int lengthIndex) {
    int length = message.getUnsignedShort(lengthIndex);
    return switch (message.getUnsignedShort(lengthIndex - RECORD_HEAD_BYTES)) {
      case TYPE_A -> length == IPV4_BYTES;
      case TYPE_AAAA -> length == IPV6_BYTES;
      default -> true;
    };
  }

  private static int nameEnd(ByteBuf message, int from) {
    int index = from;
    while (index < message.readableBytes()) {
      int length = message.getUnsignedByte(index);
      if (length == 0) {
        return index + 1;
      }
      if ((length & POINTER) == POINTER) {
        return skip(message, index, Short.BYTES);
      }
      if ((length & POINTER) != 0) {
        return INCOMPLETE;
      }
      index += 1 + length;
    }
    return INCOMPLETE;
  }

  private static int skip(ByteBuf message, int from, int bytes) {
    return from != INCOMPLETE && from + bytes <= message.readableBytes()
        ? from + bytes
        : INCOMPLETE;
  }
}
