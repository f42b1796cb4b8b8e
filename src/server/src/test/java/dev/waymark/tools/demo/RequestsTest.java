package dev.waymark.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RequestsTest {
  private final Tally tally = new Tally();
  private final Requests requests = new Requests(7, tally);

  @Test
  void replies_inOrder_areFlawless() {
    String first = requests.next();
    String second = requests.next();
    requests.onReply(first, 5);
    requests.onReply(second, 9);
    requests.onEnd();
    assertThat(tally.totals()).isEqualTo(new Tally.Totals(2, 2, 0, 0, 0, 9));
    assertThat(tally.totals().isFlawless()).isTrue();
  }

  @Test
  void reply_missing_isLost() {
    requests.next();
    String second = requests.next();
    requests.next();
    requests.onReply(second, 0);
    assertThat(tally.totals().lost()).isEqualTo(1);
    requests.onEnd();
    assertThat(tally.totals().lost()).isEqualTo(2);
    assertThat(requests.isAwaitingReplies()).isFalse();
  }

  @Test
  void reply_repeated_isTwice() {
    String first = requests.next();
    requests.onReply(first, 0);
    requests.onReply(first, 0);
    assertThat(tally.totals().twice()).isEqualTo(1);
    assertThat(tally.totals().lost()).isZero();
  }

  @Test
  void reply_corrupted_isLost() {
    String first = requests.next();
    requests.onReply(first.substring(1), 0);
    assertThat(tally.totals()).isEqualTo(new Tally.Totals(1, 0, 1, 0, 0, 0));
    requests.onReply("", 0);
    assertThat(tally.totals().isFlawless()).isFalse();
  }

  @Test
  void requests_ofTwoClients_differ() {
    assertThat(requests.next()).isNotEqualTo(new Requests(8, tally).next());
  }
}
