package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.UpstreamControl.Push;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PushMailboxTest {
  private int requests;
  private final PushMailbox mailbox = new PushMailbox(() -> requests++);

  @Test
  void pushes_several_areTakenInOrderWithOneRequest() {
    mailbox.offer(push(1, 10));
    mailbox.offer(push(2, 10));
    assertThat(requests).isEqualTo(1);
    assertThat(take()).containsExactly(1L, 2L);
    mailbox.offer(push(3, 10));
    assertThat(requests).isEqualTo(2);
    assertThat(take()).containsExactly(3L);
  }

  @Test
  void pushes_overTheBound_areRefusedUntilSomeAreTaken() {
    int taken = 0;
    while (mailbox.offer(push(taken, 64 * 1024))) {
      taken++;
    }
    assertThat(taken).isEqualTo(63);
    assertThat(take()).hasSize(63);
    assertThat(mailbox.offer(push(0, 64 * 1024))).isTrue();
  }

  @Test
  void pushes_many_areTakenOverSeveralTurns() {
    for (int i = 0; i < 1_500; i++) {
      mailbox.offer(push(i, 1));
    }
    assertThat(take()).hasSize(1_000);
    assertThat(requests).isEqualTo(2);
    assertThat(take()).hasSize(500);
    assertThat(requests).isEqualTo(2);
  }

  private List<Long> take() {
    List<Long> ids = new ArrayList<>();
    mailbox.take(push -> ids.add(push.push().id()));
    return ids;
  }

  private static PushMailbox.PendingPush push(long id, int bytes) {
    return new PushMailbox.PendingPush("pool", new Push(id, null, new byte[bytes], -1), _ -> {});
  }
}
