package dev.waymark.sim.history;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.sim.history.History.Closing;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Histories that are right pass; those that are wrong in one place do not. */
class HistoryTest {
  private static final long C = 7;

  private final History history = new History();

  @BeforeEach
  void accept() {
    history.accepted(C);
  }

  // --- right ones ---

  @Test
  void oneOwner_thatAnswersAll_isRight() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "ABCD", 4);
    reply("ABCD");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatCode(history::check).doesNotThrowAnyException();
  }

  @Test
  void nextOwner_thatGoesOnBehindTheLastCommit_isRight() {
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
  void epochThatNoUpstreamHeardOf_changesNothing() {
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
  void laneWithoutSettings_consumesWhatItIsSent() {
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
  void requestByte_invented_isSeen() {
    request("ab");
    give(1, 0);
    assertThatThrownBy(() -> receive(0, 0, "abc")).hasMessageContaining("did not send there");
  }

  @Test
  void requestBytes_reordered_areSeen() {
    request("abcd");
    give(1, 0);
    assertThatThrownBy(() -> receive(0, 0, "cd")).hasMessageContaining("did not send there");
  }

  @Test
  void requestBytes_withAGap_areSeen() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "a");
    assertThatThrownBy(() -> receive(0, 2, "cd")).hasMessageContaining("expects them at 1");
  }

  @Test
  void requestBytes_sentTwiceToOneOwner_areSeen() {
    request("abab");
    give(1, 0);
    receive(0, 0, "ab");
    assertThatThrownBy(() -> receive(0, 0, "ab")).hasMessageContaining("expects them at 2");
  }

  @Test
  void request_consumedTwice_isSeen() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "ABCD", 4);
    giveAgain(2, 1, 0, 4, 0);
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("epoch 1 begins with 0 consumed");
  }

  @Test
  void request_consumedByNobody_isSeen() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "AB", 2);
    giveAgain(2, 1, 4, 2, 0);
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("epoch 1 begins with 4 consumed");
  }

  @Test
  void request_givenToTwoOwnersWithoutSettings_isSeen() {
    history.atMostOnce(1);
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    giveAgain(2, 1, 2, 0, 0);
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("epoch 1 begins with 2 consumed");
  }

  @Test
  void clientsEnd_inTheWrongPlace_isSeen() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "ab");
    history.clientFinished(C);
    assertThatThrownBy(() -> history.upstreamReceivedEnd(C, 0)).hasMessageContaining("end at 2");
  }

  @Test
  void clientsEnd_thatNeverWas_isSeen() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    assertThatThrownBy(() -> history.upstreamReceivedEnd(C, 0)).hasMessageContaining("end at 2");
  }

  // --- replies ---

  @Test
  void replyByte_lostInTheMiddle_isSeen() {
    oneRequestAnswered("ABD");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 2");
  }

  @Test
  void replyBytes_lostAtTheEnd_areSeen() {
    oneRequestAnswered("ABC");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("replies are missing");
  }

  @Test
  void replyByte_doubled_isSeen() {
    oneRequestAnswered("ABBC");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 2");
  }

  @Test
  void replyBytes_reordered_areSeen() {
    oneRequestAnswered("ACBD");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 1");
  }

  @Test
  void replyByte_invented_isSeen() {
    oneRequestAnswered("ABCDE");
    end(Closing.RESET, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 4");
  }

  @Test
  void reply_committedByTwoOwners_isSeen() {
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
  void commit_inPart_isSeen() {
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
  void unfinishedCommit_atTheClient_isSeen() {
    request("ab");
    give(1, 0);
    receive(0, 0, "ab");
    history.upstreamSent(C, 0, bytes("A"), -1, null, true, false, null, false);
    reply("A");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("a byte at 0");
  }

  @Test
  void context_ofAnother_isSeen() {
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
  void reset_shownAsACleanEnd_isSeen() {
    oneRequestAnswered("ABCD");
    end(Closing.CLEAN, "OVERLOAD");
    assertThatThrownBy(history::check).hasMessageContaining("was to be reset for OVERLOAD");
  }

  @Test
  void upstream_toldAnotherReason_isSeen() {
    oneRequestAnswered("ABCD");
    history.upstreamTold(C, 0, "NO_UPSTREAM");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("told NO_UPSTREAM");
  }

  @Test
  void connection_thatGoesOnAfterItsEnd_isSeen() {
    oneRequestAnswered("ABCD");
    history.upstreamTold(C, 0, "IDLE_TIMEOUT");
    giveAgain(2, 1, 4, 4, 0);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("goes on after");
  }

  @Test
  void reasonOfUpstreams_thatNoneGave_isSeen() {
    oneRequestAnswered("ABCD");
    end(Closing.RESET, "ABORT");
    assertThatThrownBy(history::check).hasMessageContaining("no upstream ever said ABORT");
  }

  @Test
  void done_beforeAllReplies_isSeen() {
    oneRequestAnswered("ABCD");
    history.clientFinished(C);
    history.upstreamReceivedEnd(C, 0);
    history.upstreamSent(C, 0, bytes("E"), 4, null, false, true, null, false);
    history.upstreamTold(C, 0, "DONE");
    end(Closing.CLEAN, "DONE");
    assertThatThrownBy(history::check).hasMessageContaining("done before all replies");
  }

  @Test
  void done_beforeAllRequests_isSeen() {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    history.clientFinished(C);
    history.upstreamReceivedEnd(C, 0);
    history.upstreamSent(C, 0, bytes("A"), 1, null, false, true, null, false);
    reply("A");
    history.upstreamTold(C, 0, "DONE");
    end(Closing.CLEAN, "DONE");
    assertThatThrownBy(history::check).hasMessageContaining("before all requests were consumed");
  }

  @Test
  void connection_thatEndsTwice_isSeen() {
    oneRequestAnswered("ABCD");
    history.logged(C, "DONE");
    end(Closing.CLEAN, "DONE");
    assertThatThrownBy(history::check).hasMessageContaining("[DONE, DONE]");
  }

  // --- pushes ---

  @Test
  void push_thatComesTwice_isSeen() {
    pushed(1);
    history.clientReceivedPush(C, 1);
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("push 1 comes twice");
  }

  @Test
  void push_toAnother_isSeen() {
    history.pushed(1, 1, C + 1);
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("was for another");
  }

  @Test
  void pushes_outOfOrder_areSeen() {
    pushed(1);
    pushed(2);
    history.clientReceivedPush(C, 2);
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("push 1 comes after 2");
  }

  @Test
  void push_writtenAndLost_isSeen() {
    pushed(1);
    history.pushAnswered(1, "WRITTEN");
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("push 1 is written and lost");
  }

  @Test
  void push_thatWasRefusedAndComes_isSeen() {
    pushed(1);
    history.pushAnswered(1, "FULL");
    history.clientReceivedPush(C, 1);
    end(Closing.CLEAN, "IDLE_TIMEOUT");
    assertThatThrownBy(history::check).hasMessageContaining("told FULL");
  }

  @Test
  void push_answeredTwice_isSeen() {
    pushed(1);
    history.pushAnswered(1, "FULL");
    assertThatThrownBy(() -> history.pushAnswered(1, "FULL")).hasMessageContaining("without need");
  }

  // --- words ---

  /** "abcd" is asked, "ABCD" is committed, and the client gets this. */
  private void oneRequestAnswered(String got) {
    request("abcd");
    give(1, 0);
    receive(0, 0, "abcd");
    commit(0, "ABCD", 4);
    reply(got);
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
