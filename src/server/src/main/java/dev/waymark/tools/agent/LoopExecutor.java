package dev.waymark.tools.agent;

import io.netty.channel.EventLoop;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * Hands over to the agent's loop what other threads have found out. Once the loop has ended, nobody
 * waits for it any more. Immutable.
 */
record LoopExecutor(EventLoop loop) implements Executor {
  @Override
  public void execute(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException ended) {
      // See above.
    }
  }
}
