package dev.waymark.upstreams;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The queries of one channel, to tell their answers from what anybody else may send to it: a late
 * answer, or a forged one (RFC 5452, section 9.1). Confined to the control thread.
 */
final class AskedQuestions {
  private static final int ID_INDEX = 0;

  /**
   * One query.
   *
   * @param text name, type and class
   */
  private record Question(SocketAddress server, String text) {}

  private final Map<Integer, Question> byId = new HashMap<>();

  /**
   * Notes a query.
   *
   * @param questionStart where in the message the question is
   */
  void add(SocketAddress server, ByteBuf message, int questionStart, int questionEnd) {
    byId.put(
        message.getUnsignedShort(ID_INDEX),
        new Question(server, text(message, questionStart, questionEnd)));
  }

  /** Whether a message has the ID and the question of a query to that server. */
  boolean isAnswer(SocketAddress server, ByteBuf message, int questionStart, int questionEnd) {
    return new Question(server, text(message, questionStart, questionEnd))
        .equals(byId.get(message.getUnsignedShort(ID_INDEX)));
  }

  /** Lengths and types are the same in lower case: those in use are below the letters. */
  private static String text(ByteBuf message, int start, int end) {
    return message.toString(start, end - start, ISO_8859_1).toLowerCase(Locale.ROOT);
  }
}
