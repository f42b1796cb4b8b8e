package dev.waymark.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** Runs many plans in parallel, each on one thread, and reports the first failure. */
final class Runs {
  private static final int THREADS = Math.min(2, Runtime.getRuntime().availableProcessors());
  private static final int SHRINK_TRIES_MAX = 400;
  private static final long SHRINK_NS_MAX = TimeUnit.SECONDS.toNanos(20);

  private Runs() {}

  /**
   * Runs the plans until one fails.
   *
   * @param onDone called with each run that passed; on any thread, one at a time
   * @throws AssertionError describes the first failure, reduced, with the command that repeats it
   */
  static void run(List<Plan> plans, Consumer<Sim> onDone) {
    AtomicBoolean hasFailed = new AtomicBoolean();
    List<Callable<Boolean>> tasks = new ArrayList<>();
    for (Plan plan : plans) {
      tasks.add(() -> {
        if (!hasFailed.get()) {
          Sim sim = new Sim(plan, Mutation.NONE);
          try {
            sim.run();
          } catch (AssertionError | RuntimeException failure) {
            if (!hasFailed.getAndSet(true)) {
              throw report(plan, Mutation.NONE, failure);
            }
          }
          synchronized (hasFailed) {
            onDone.accept(sim);
          }
        }
        return true;
      });
    }
    inParallel(tasks);
  }

  /** Reduces a failing run and describes it. */
  static AssertionError report(Plan plan, Mutation mutation, Throwable failure) {
    Shrinker.Result small = shrink(plan, mutation, failure);
    Sim sim = new Sim(small.plan(), mutation);
    Throwable again = outcome(sim).failure();
    return new AssertionError(
        "FAILED "
            + small.failure().getMessage()
            + "\n  "
            + command(small.plan())
            + "\n  reduced in "
            + small.tries()
            + " tries from "
            + plan
            + "\n"
            + sim,
        again == null ? failure : again);
  }

  static Shrinker.Result shrink(Plan plan, Mutation mutation, Throwable failure) {
    return new Shrinker(
            candidate -> outcome(new Sim(candidate, mutation)),
            plan,
            failure,
            SHRINK_TRIES_MAX,
            SHRINK_NS_MAX,
            System::nanoTime)
        .shrink();
  }

  static Shrinker.Outcome outcome(Sim sim) {
    Throwable failure = null;
    try {
      sim.run();
    } catch (AssertionError | RuntimeException thrown) {
      failure = thrown;
    }
    return new Shrinker.Outcome(failure, sim.stepCount(), sim.acceptedCount());
  }

  private static String command(Plan plan) {
    return "mvn -q test -Dtest=SimTest -Dwaymark.sim.plan=" + plan;
  }

  static <T> List<T> inParallel(List<Callable<T>> tasks) {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> each : threads.invokeAll(tasks)) {
        results.add(each.get());
      }
      return results;
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof AssertionError found) {
        throw found;
      }
      throw new AssertionError(failed.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(interrupted);
    } finally {
      threads.shutdownNow();
    }
  }
}
