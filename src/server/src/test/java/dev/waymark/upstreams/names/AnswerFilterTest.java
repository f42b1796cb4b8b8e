package dev.waymark.upstreams.names;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DatagramPacket;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerFilterTest {
  private static final InetSocketAddress SERVER = new InetSocketAddress("10.0.0.2", 53);
  private static final int SERVFAIL = 2;
  private static final int REFUSED = 5;
  private static final int HEADER_BYTES = 12;
  private static final int QUESTION_BYTES = 7;
  private static final int RECORD_BYTES = 16;

  private final LookupNotes notes = new LookupNotes(FamilyAnswer.NO_ADDRESS);
  private final EmbeddedChannel channel = new EmbeddedChannel(new AnswerFilter(notes));

  @BeforeEach
  void sendQuery() {
    channel.writeOutbound(new DatagramPacket(question(7), SERVER));
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void completeAnswer_isPassedOnWithoutReferrals() {
    ByteBuf passed = read(answer(0, 2, 3));
    assertThat(passed.readableBytes()).isEqualTo(HEADER_BYTES + QUESTION_BYTES + 2 * RECORD_BYTES);
    assertThat(count(passed, 6)).as("answers").isEqualTo(2);
    assertThat(count(passed, 8)).as("authorities").isZero();
    assertThat(rcode(passed)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, RECORD_BYTES - 1, RECORD_BYTES, 2 * RECORD_BYTES})
  void incompleteAnswer_isFailure(int missing) {
    ByteBuf complete = answer(0, 2, 1);
    ByteBuf passed = read(complete.writerIndex(complete.writerIndex() - missing));
    assertThat(rcode(passed)).isEqualTo(SERVFAIL);
    assertThat(count(passed, 6)).isZero();
    assertThat(passed.readableBytes()).isEqualTo(HEADER_BYTES + QUESTION_BYTES);
    assertThat(notes.failure(new IllegalStateException()))
        .isEqualTo(FamilyAnswer.failed("the answer from name server 10.0.0.2:53 is incomplete"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5, HEADER_BYTES, HEADER_BYTES + QUESTION_BYTES - 1})
  void messageWithoutItsQuestion_isDropped(int bytes) {
    ByteBuf message = answer(0, 1, 0);
    channel.writeInbound(
        new DatagramPacket(message.writerIndex(bytes), /* recipient= */ SERVER, SERVER));
    assertThat(channel.<Object>readInbound()).isNull();
    assertThat(message.refCnt()).isZero();
  }

  @Test
  void rcode_isRecordedPerName() {
    read(answer(REFUSED, 0, 0)).release();
    assertThat(problem(notes.failure(new IllegalStateException())))
        .isEqualTo(
            new UpstreamProblem(
                Kind.DNS_FAILED, "name server 10.0.0.2:53 refused the query (REFUSED)"));
    read(answer(0, 0, 0)).release();
    FamilyAnswer answer = notes.failure(new IllegalStateException());
    assertThat(answer.isAnswered()).as("the next server says that there is no address").isTrue();
    assertThat(problem(answer))
        .isEqualTo(new UpstreamProblem(Kind.NO_ADDRESS, "the name has no address"));
  }

  @Test
  void messageThatAnswersNoQuery_isDroppedAndProvesNothing() {
    ByteBuf otherId = answer(0, 0, 0).setShort(0, 8);
    ByteBuf otherName = answer(0, 0, 0).setByte(HEADER_BYTES + 1, 'b');
    ByteBuf otherType = answer(0, 0, 0).setByte(HEADER_BYTES + 4, 28);
    ByteBuf query = answer(0, 0, 0).setShort(2, 0x0100);
    InetSocketAddress elsewhere = new InetSocketAddress("10.0.0.3", 53);
    for (DatagramPacket packet :
        List.of(
            from(SERVER, otherId),
            from(SERVER, otherName),
            from(SERVER, otherType),
            from(SERVER, query),
            from(elsewhere, answer(0, 0, 0)))) {
      channel.writeInbound(packet);
      assertThat(channel.<Object>readInbound()).as("%s", packet).isNull();
      assertThat(packet.refCnt()).isZero();
    }
    assertThat(notes.failure(new IllegalStateException("no answer")).isAnswered()).isFalse();
    read(answer(0, 1, 0).setByte(HEADER_BYTES + 1, 'A')).release();
    assertThat(notes.failure(new IllegalStateException()).isAnswered()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 5, 16})
  void addressOfWrongLength_isFailure(int bytes) {
    ByteBuf message = answer(0, 1, 0).setShort(HEADER_BYTES + QUESTION_BYTES + 10, bytes);
    message.writeZero(20);
    assertThat(rcode(read(message))).isEqualTo(SERVFAIL);
    assertThat(notes.failure(new IllegalStateException()).isAnswered()).isFalse();
  }

  @Test
  void truncatedAnswer_withoutAnswerOverTcp_isFailure() {
    read(answer(0x0200, 1, 0)).release();
    assertThat(notes.failure(new IllegalStateException()))
        .isEqualTo(
            FamilyAnswer.failed(
                "the answer from name server 10.0.0.2:53 was truncated, and there was none over TCP"));
  }

  @Test
  void messageOverTcp_isCheckedAfterItsLengthField() {
    channel.writeOutbound(framed(question(7)));
    channel.writeInbound(framed(answer(0, 2, 1)));
    ByteBuf passed = channel.readInbound();
    assertThat(passed.readShort()).isEqualTo((short) passed.readableBytes());
    assertThat(count(passed.slice(), 6)).isEqualTo(2);
    passed.release();
  }

  private static @Nullable UpstreamProblem problem(FamilyAnswer answer) {
    return answer.problem();
  }

  private ByteBuf read(ByteBuf message) {
    channel.writeInbound(from(SERVER, message));
    DatagramPacket packet = channel.readInbound();
    return packet.content();
  }

  private static DatagramPacket from(InetSocketAddress server, ByteBuf message) {
    return new DatagramPacket(message, /* recipient= */ server, server);
  }

  private static ByteBuf framed(ByteBuf message) {
    return Unpooled.buffer().writeShort(message.readableBytes()).writeBytes(message);
  }

  private static int count(ByteBuf message, int index) {
    return message.getUnsignedShort(message.readerIndex() + index);
  }

  private static int rcode(ByteBuf message) {
    return message.getUnsignedShort(message.readerIndex() + 2) & 0xF;
  }

  /** Returns a query for the name "a.". */
  private static ByteBuf question(int id) {
    ByteBuf message =
        Unpooled.buffer().writeShort(id).writeShort(0x0100).writeShort(1).writeZero(6);
    return message.writeByte(1).writeByte('a').writeByte(0).writeShort(1).writeShort(1);
  }

  /** Returns an answer for the name "a.". */
  private static ByteBuf answer(int rcode, int answers, int authorities) {
    ByteBuf message =
        Unpooled.buffer()
            .writeShort(7)
            .writeShort(0x8180 | rcode)
            .writeShort(1)
            .writeShort(answers)
            .writeShort(authorities)
            .writeShort(0);
    message.writeByte(1).writeByte('a').writeByte(0).writeShort(1).writeShort(1);
    for (int i = 0; i < answers + authorities; i++) {
      message.writeShort(0xC00C).writeShort(i < answers ? 1 : 2).writeShort(1).writeInt(60);
      message.writeShort(4).writeInt(0x7F000001);
    }
    return message;
  }
}
