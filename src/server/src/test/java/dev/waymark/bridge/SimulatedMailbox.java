package dev.waymark.bridge;

import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import java.util.function.Consumer;

/** Gives the simulation access to {@link PushMailbox}, and control over when pushes are taken. */
public final class SimulatedMailbox {
  /** Takes pushes, one at a time. */
  public interface Taker {
    /**
     * Takes one push.
     *
     * @param pool pool of the lane on which it arrived
     */
    void onPush(String pool, Push push, Consumer<PushResult> reply);
  }

  private final PushMailbox mailbox;

  /**
   * @param requestTake requests one {@link #take}
   */
  public SimulatedMailbox(Runnable requestTake) {
    mailbox = new PushMailbox(requestTake);
  }

  /** Adds a push; returns false if the mailbox is full. */
  public boolean offer(String pool, Push push, Consumer<PushResult> reply) {
    return mailbox.offer(new PushMailbox.PendingPush(pool, push, reply));
  }

  /** Passes on at most one turn's share of the pushes. */
  public void take(Taker taker) {
    mailbox.take(pending -> taker.onPush(pending.pool(), pending.push(), pending.reply()));
  }
}
