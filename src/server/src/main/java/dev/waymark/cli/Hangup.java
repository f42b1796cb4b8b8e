package dev.waymark.cli;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;

/**
 * SIGHUP. The launcher starts a bridge with it ignored, so that one that comes before its handler
 * is there does not end the process; {@code nohup} does the same. The JVM then leaves it ignored
 * for good: a handler is noted, but not installed. Thread-safe.
 */
final class Hangup {
  private static final Signal HUP = new Signal("HUP");
  private static final Signal TERM = new Signal("TERM");

  /** Room for a {@code struct sigaction}, which has 152 bytes on Linux and 16 on macOS. */
  private static final long SIGACTION_BYTES = 512;

  private @Nullable Runnable handler;
  private boolean isWaiting;

  private Hangup() {}

  /** From now on SIGHUP does not end the process. For those that will {@link #install} one. */
  static void outlive() {
    Signal.handle(HUP, _ -> {});
  }

  /**
   * Takes SIGHUP from now on; where it was ignored, within some 0.1 s.
   *
   * @param onFailure told why, if SIGHUP stays ignored
   */
  static Hangup install(Consumer<String> onFailure) {
    Hangup hangup = new Hangup();
    Signal.handle(HUP, _ -> hangup.onSignal());
    if (isIgnored()) {
      // Beside the start, which it would make longer.
      Thread.ofPlatform().daemon().name("hangup").start(() -> handleAsTerm(onFailure));
    }
    return hangup;
  }

  /** What every SIGHUP is handled by from now on, and one that came before; not on this thread. */
  synchronized void handleBy(Runnable action) {
    handler = action;
    if (isWaiting) {
      Thread.ofPlatform().daemon().name("hangup").start(action);
    }
  }

  private void onSignal() {
    Runnable action;
    synchronized (this) {
      action = handler;
      isWaiting = action == null;
    }
    if (action != null) {
      action.run();
    }
  }

  /** By the process's own entry; where there is none, as on macOS, it may be. */
  private static boolean isIgnored() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("SigIgn:"))
          .map(line -> Long.parseUnsignedLong(line.substring(line.indexOf(':') + 1).strip(), 16))
          .anyMatch(mask -> (mask >>> (HUP.getNumber() - 1) & 1) != 0);
    } catch (IOException noProc) {
      return true;
    }
  }

  /**
   * Copies what the JVM installed for SIGTERM, which is one function for all signals that it passes
   * on to Java. There is no moment in between at which SIGHUP would end the process.
   */
  @SuppressWarnings("restricted")
  private static void handleAsTerm(Consumer<String> onFailure) {
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle sigaction =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("sigaction"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS));
      MemorySegment action = arena.allocate(SIGACTION_BYTES, Long.BYTES);
      int got = (int) sigaction.invokeExact(TERM.getNumber(), MemorySegment.NULL, action);
      int set = (int) sigaction.invokeExact(HUP.getNumber(), action, MemorySegment.NULL);
      if (got != 0 || set != 0) {
        onFailure.accept("sigaction failed");
      }
    } catch (Throwable failure) {
      onFailure.accept(failure.toString());
    }
  }
}
