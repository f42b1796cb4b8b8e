package dev.waymark.upstreams.names;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The queries sent on one channel, to tell their answers from anything else that arrives on it,
 * such as late or forged answers (RFC 5452, section 9.1). Confined to the control thread.
 */
final class SentQueries {
  private static final int ID_INDEX = 0;

  /**
   * The server and question of a query.
   *
   * @param text name, type and class, as in the message but in lower case
   */
  private record Question(SocketAddress server, String text) {}

  private final Map<Integer, Question> byId = new HashMap<>();

  /**
   * Adds a query.
   *
   * @param questionStart the index of the question in the message
   */
  void add(SocketAddress server, ByteBuf message, int questionStart, int questionEnd) {
    byId.put(
        message.getUnsignedShort(ID_INDEX),
        new Question(server, text(message, questionStart, questionEnd)));
  }

  /** Whether a message from this server has the ID and the question of a query sent to it. */
  boolean isAnswer(SocketAddress server, ByteBuf message, int questionStart, int questionEnd) {
    return new Question(server, text(message, questionStart, questionEnd))
        .equals(byId.get(message.getUnsignedShort(ID_INDEX)));
  }

  /** Lower-casing leaves lengths and types alone: those in use are below the letters. */
  private static String text(ByteBuf message, int start, int end) {
    return message.toString(start, end - start, ISO_8859_1).toLowerCase(Locale.ROOT);
  }
}
