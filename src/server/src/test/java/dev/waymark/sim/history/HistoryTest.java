package dev.waymark.sim.history;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.sim.history.History.Closing;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Consistent histories pass; each kind of inconsistency is detected. */
class HistoryTest {
  private static final long C = 7;

  private final History history = new History();

  @BeforeEach
  void accept() {
    history.accepted(C);
  }

  // --- consistent histories ---

  @Test
  void oneOwner_answeringEverything_passes() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "ABCD", 4);
    reply("ABCD");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatCode(history::check).doesNotThrowAnyException();
  }

  @Test
  void nextOwner_continuingAfterTheLastCommit_passes() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "AB", 2);
    commit(0, "CD", 4);
    giveAgain(2, 1, 2, 2, 0);
    receive(1, 2, "cd");
    commit(1, "CD", 4);
    reply("ABCD");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatCode(history::check).doesNotThrowAnyException();
  }

  @Test
  void epoch_thatReachedNoUpstream_changesNothing() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    history.assigned(2, C, 1);
    giveAgain(3, 2, 0, 0, 0);
    receive(2, 0, "ab");
    commit(2, "AB", 2);
    reply("AB");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatCode(history::check).doesNotThrowAnyException();
  }

  @Test
  void laneWithoutSettings_consumesWhatItReceives() {
    history.atMostOnce(1);
    request("abcd");
    give(1, 0);
    receive(0, 0, "ab");
    commit(0, "A", -1);
    giveAgain(2, 1, 4, 1, 0);
    reply("A");
    end(Closing.CLEAN, "UPSTREAM_LOST");
    assertThatCode(history::check).doesNotThrowAnyException();
  }

  @Test
  void clientThatIsReset_mayMissReplies() {
    oneRequestAnswered("ABC");
    end(Closing.RESET, "OVERLOAD");
    assertThatCode(history::check).doesNotThrowAnyException();
  }

  // --- requests ---

  @Test
  void requestByte_invented_isDetected() {
    request("ab");
    give(1, 0);
    assertThatThrownBy(() -> receive(0, 0, "abc")).hasMessageContaining("did not send there");
  }

  @Test
  void requestBytes_reordered_areDetected() {
    request("abcd");
    give(1, 0);
    assertThatThrownBy(() -> receive(0, 0, "cd")).hasMessageContaining("did not send there");
  }

  @Test
  void requestBytes_withAGap_areDetected() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "a");
    assertThatThrownBy(() -> receive(0, 2, "cd")).hasMessageContaining("at 2, expected 1");
  }

  @Test
  void requestBytes_sentTwiceToOneOwner_areDetected() {
    request("abab");
    give(1, 0);
    receive(0, 0, "ab");
    assertThatThrownBy(() -> receive(0, 0, "ab")).hasMessageContaining("at 0, expected 2");
  }

  @Test
  void request_consumedTwice_isDetected() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "ABCD", 4);
    giveAgain(2, 1, 0, 4, 0);
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("epoch 1 begins with 0 consumed");
  }

  @Test
  void request_skipped_isDetected() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "AB", 2);
    giveAgain(2, 1, 4, 2, 0);
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("epoch 1 begins with 4 consumed");
  }

  @Test
  void request_sentAgainAfterAnAtMostOnceOwner_isDetected() {
    history.atMostOnce(1);
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    giveAgain(2, 1, 2, 0, 0);
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("epoch 1 begins with 2 consumed");
  }

  @Test
  void clientEnd_atTheWrongOffset_isDetected() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "ab");
    history.clientFinished(C);
    assertThatThrownBy(() -> history.upstreamReceivedEnd(C, 0))
        .hasMessageContaining("client end: 2");
  }

  @Test
  void clientEnd_invented_isDetected() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    assertThatThrownBy(() -> history.upstreamReceivedEnd(C, 0))
        .hasMessageContaining("client end: 2");
  }

  // --- replies ---

  @Test
  void replyByte_lostInTheMiddle_isDetected() {
    oneRequestAnswered("ABD");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 2");
  }

  @Test
  void replyBytes_lostAtTheEnd_areDetected() {
    oneRequestAnswered("ABC");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("replies are missing");
  }

  @Test
  void replyByte_duplicated_isDetected() {
    oneRequestAnswered("ABBC");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 2");
  }

  @Test
  void replyBytes_reordered_areDetected() {
    oneRequestAnswered("ACBD");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 1");
  }

  @Test
  void replyByte_invented_isDetected() {
    oneRequestAnswered("ABCDE");
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 4");
  }

  @Test
  void reply_committedByTwoOwners_isDetected() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    commit(0, "AB", 2);
    giveAgain(2, 1, 0, 0, 0);
    receive(1, 0, "ab");
    commit(1, "AB", 2);
    reply("ABAB");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 2");
  }

  @Test
  void commit_appliedInPart_isDetected() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    history.upstreamSent(C, 0, bytes("A"), -1, null, true, false, null, false);
    commit(0, "B", 2);
    giveAgain(2, 1, 0, 1, 1);
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("1 committed from 0");
  }

  @Test
  void unfinishedCommit_receivedByTheClient_isDetected() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    history.upstreamSent(C, 0, bytes("A"), -1, null, true, false, null, false);
    reply("A");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 0");
  }

  @Test
  void context_changed_isDetected() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    history.upstreamSent(C, 0, bytes("A"), 1, bytes("x"), false, false, null, false);
    history.assigned(2, C, 1);
    history.attachedAgain(C, 1, 1, 1, 0, -1, false, bytes("y"));
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("context [121]");
  }

  // --- the end ---

  @Test
  void reset_replacedByACleanClose_isDetected() {
    oneRequestAnswered("ABCD");
    end(Closing.CLEAN, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("must be reset for OVERLOAD");
  }

  @Test
  void upstream_receivingAnotherReason_isDetected() {
    oneRequestAnswered("ABCD");
    history.upstreamReceivedClose(C, 0, "NO_UPSTREAM");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("told NO_UPSTREAM");
  }

  @Test
  void connection_continuingAfterItsEnd_isDetected() {
    oneRequestAnswered("ABCD");
    history.upstreamReceivedClose(C, 0, "IDLE_TIMEOUT");
    giveAgain(2, 1, 4, 4, 0);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("continues after");
  }

  @Test
  void upstreamReason_thatNoUpstreamSent_isDetected() {
    oneRequestAnswered("ABCD");
    end(Closing.RESET, "ABORT");
    assertThatThrownBy(history::check).hasMessageContaining("no upstream sent ABORT");
  }

  @Test
  void done_beforeAllReplies_isDetected() {
    oneRequestAnswered("ABCD");
    history.clientFinished(C);
    history.upstreamReceivedEnd(C, 0);
    history.upstreamSent(C, 0, bytes("E"), 4, null, false, true, null, false);
    history.upstreamReceivedClose(C, 0, "DONE");
    end(Closing.CLEAN, "DONE");
    assertThatThrownBy(history::check).hasMessageContaining("done before all replies");
  }

  @Test
  void done_beforeAllRequests_isDetected() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    history.clientFinished(C);
    history.upstreamReceivedEnd(C, 0);
    history.upstreamSent(C, 0, bytes("A"), 1, null, false, true, null, false);
    reply("A");
    history.upstreamReceivedClose(C, 0, "DONE");
    end(Closing.CLEAN, "DONE");
    assertThatThrownBy(history::check).hasMessageContaining("before all requests were consumed");
  }

  @Test
  void connection_endingTwice_isDetected() {
    oneRequestAnswered("ABCD");
    history.logged(C, "DONE");
    end(Closing.CLEAN, "DONE");
    assertThatThrownBy(history::check).hasMessageContaining("[DONE, DONE]");
  }

  // --- pushes ---

  @Test
  void push_receivedTwice_isDetected() {
    pushed(1);
    history.clientReceivedPush(C, 1);
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("push 1 was received twice");
  }

  @Test
  void push_receivedByAnotherConnection_isDetected() {
    history.pushed(1, 1, C + 1);
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("was for another");
  }

  @Test
  void pushes_outOfOrder_areDetected() {
    pushed(1);
    pushed(2);
    history.clientReceivedPush(C, 2);
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("push 1 was received after 2");
  }

  @Test
  void push_writtenAndLost_isDetected() {
    pushed(1);
    history.pushAnswered(1, "WRITTEN");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check)
        .hasMessageContaining("push 1 was answered with WRITTEN, but not received");
  }

  @Test
  void push_refusedButReceived_isDetected() {
    pushed(1);
    history.pushAnswered(1, "FULL");
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("answered with FULL");
  }

  @Test
  void push_answeredTwice_isDetected() {
    pushed(1);
    history.pushAnswered(1, "FULL");
    assertThatThrownBy(() -> history.pushAnswered(1, "FULL"))
        .hasMessageContaining("answered twice");
  }

  // --- helpers ---

  /** The client sends "abcd", the upstream commits "ABCD", and the client receives this. */
  private void oneRequestAnswered(String received) {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "ABCD", 4);
    reply(received);
  }

  private void request(String bytes) {
    history.clientSent(C, bytes(bytes));
  }

  private void give(int lane, int epoch) {
    history.assigned(lane, C, epoch);
    history.attached(C, epoch);
  }

  private void giveAgain(int lane, int epoch, long first, long committed, long sinceConsumed) {
    history.assigned(lane, C, epoch);
    history.attachedAgain(C, epoch, first, committed, sinceConsumed, -1, false, null);
  }

  private void receive(int epoch, long offset, String bytes) {
    history.upstreamReceived(C, epoch, offset, bytes(bytes));
  }

  private void commit(int epoch, String bytes, long consumed) {
    history.upstreamSent(C, epoch, bytes(bytes), consumed, null, false, false, null, false);
  }

  private void reply(String bytes) {
    history.clientReceived(C, bytes(bytes));
  }

  private void pushed(long id) {
    history.pushed(1, id, C);
  }

  private void end(Closing how, String reason) {
    history.clientClosed(C, how);
    history.logged(C, reason);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }
}
