package dev.waymark.tools.agent;

import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code command:}: whether a command line ends with exit code 0. One that takes too long is killed
 * with its children. Each run has a virtual thread, which waits for it.
 */
final class CommandProbe implements Probe {
  private final String line;
  private final Executor loop;

  /** The last one, which may be over. */
  private @Nullable CommandRun run;

  private boolean isGivenUp;

  CommandProbe(String line, Executor loop) {
    this.line = line;
    this.loop = loop;
  }

  @Override
  public void start(Consumer<Verdict> onVerdict) {
    if (run != null && !run.isOver()) {
      // For example, one that waits for a disk that is gone: it cannot be killed.
      onVerdict.accept(Verdict.failed("the former run of the command does not end"));
      return;
    }
    CommandRun started = new CommandRun(line);
    run = started;
    isGivenUp = false;
    var _ =
        Thread.ofVirtual()
            .name("check-command")
            .start(() -> {
              Verdict verdict = started.await();
              loop.execute(() -> {
                if (run == started && !isGivenUp) {
                  onVerdict.accept(verdict);
                }
              });
            });
  }

  @Override
  public String giveUp() {
    isGivenUp = true;
    if (run != null) {
      run.kill();
    }
    return "";
  }

  @Override
  public void close() {
    giveUp();
  }
}
