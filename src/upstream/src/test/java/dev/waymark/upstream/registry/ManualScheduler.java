package dev.waymark.upstream.registry;

import java.time.Duration;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Runs tasks on the test's thread, in virtual time. */
final class ManualScheduler extends AbstractExecutorService implements ScheduledExecutorService {
  private final PriorityQueue<Task> tasks = new PriorityQueue<>();
  private long nowNs = 1_000_000_000_000L;
  private long taskCount;
  private boolean isShutdown;

  long nowNs() {
    return nowNs;
  }

  /** Runs what is due. */
  void runDue() {
    while (!tasks.isEmpty() && tasks.peek().dueNs <= nowNs) {
      tasks.poll().run();
    }
  }

  /** Lets time pass, and runs each task when it is due. */
  void advance(Duration by) {
    long endNs = nowNs + by.toNanos();
    while (!tasks.isEmpty() && tasks.peek().dueNs <= endNs) {
      nowNs = Math.max(nowNs, tasks.peek().dueNs);
      runDue();
    }
    nowNs = endNs;
  }

  /** Lets time pass without running anything, like a process that is stopped. */
  void freeze(Duration by) {
    nowNs += by.toNanos();
  }

  @Override
  public void execute(Runnable task) {
    schedule(task, 0, TimeUnit.NANOSECONDS);
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    if (isShutdown) {
      throw new RejectedExecutionException("shut down");
    }
    Task task = new Task(command, nowNs + unit.toNanos(delay), taskCount++);
    tasks.add(task);
    return task;
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void shutdown() {
    isShutdown = true;
  }

  @Override
  public List<Runnable> shutdownNow() {
    isShutdown = true;
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return isShutdown;
  }

  @Override
  public boolean isTerminated() {
    return isShutdown;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return isShutdown;
  }

  /** A task and when it is due; of those due together, the first to be added comes first. */
  private final class Task extends FutureTask<Void> implements ScheduledFuture<Void> {
    private final long dueNs;
    private final long number;

    Task(Runnable command, long dueNs, long number) {
      super(command, null);
      this.dueNs = dueNs;
      this.number = number;
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
      tasks.remove(this);
      return super.cancel(mayInterrupt);
    }

    @Override
    protected void setException(Throwable failure) {
      throw new AssertionError("a task failed", failure);
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(dueNs - nowNs, TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
      Task task = (Task) other;
      int order = Long.compare(dueNs, task.dueNs);
      return order != 0 ? order : Long.compare(number, task.number);
    }
  }
}
