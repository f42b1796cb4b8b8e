package dev.waymark.bridge;

import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import java.util.function.Consumer;

/** Opens a shard's {@link PushMailbox} to the simulation, which calls its owner when it likes. */
public final class SimulatedMailbox {
  /** Takes one push. */
  public interface Taker {
    /**
     * A push has come.
     *
     * @param pool of the lane on which it came
     */
    void onPush(String pool, Push push, Consumer<PushResult> reply);
  }

  private final PushMailbox mailbox;

  /**
   * @param callOwner asks for one {@link #take}
   */
  public SimulatedMailbox(Runnable callOwner) {
    mailbox = new PushMailbox(callOwner);
  }

  /** False: it is full. */
  public boolean offer(String pool, Push push, Consumer<PushResult> reply) {
    return mailbox.offer(new PushMailbox.PendingPush(pool, push, reply));
  }

  /** A turn's share of what has come. */
  public void take(Taker taker) {
    mailbox.take(pending -> taker.onPush(pending.pool(), pending.push(), pending.reply()));
  }
}
