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
 * Handles SIGHUP. The launcher starts a bridge with SIGHUP ignored, so that one that arrives before
 * the handler is installed does not end the process; {@code nohup} does the same. The JVM then
 * keeps it ignored for good: it registers a handler, but does not install it. Thread-safe.
 */
final class Hangup {
  private static final Signal HUP = new Signal("HUP");
  private static final Signal TERM = new Signal("TERM");

  /** Room for a {@code struct sigaction}, which has 152 bytes on Linux and 16 on macOS. */
  private static final long SIGACTION_BYTES = 512;

  private @Nullable Runnable handler;
  private boolean isWaiting;

  private Hangup() {}

  /** Makes SIGHUP harmless until {@link #install} is called. */
  static void ignore() {
    Signal.handle(HUP, _ -> {});
  }

  /**
   * Handles SIGHUP from now on; if it was ignored, from about 0.1 s later.
   *
   * @param onFailure called with the reason if SIGHUP stays ignored
   */
  static Hangup install(Consumer<String> onFailure) {
    Hangup hangup = new Hangup();
    Signal.handle(HUP, _ -> hangup.onSignal());
    if (isIgnored()) {
      // On a separate thread, so as not to delay the start.
      Thread.ofPlatform().daemon().name("hangup").start(() -> handleAsTerm(onFailure));
    }
    return hangup;
  }

  /**
   * Sets what to run on every SIGHUP from now on, and once now if one has already arrived. Never
   * runs it on the calling thread.
   */
  synchronized void setHandler(Runnable action) {
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

  /** Reads /proc/self/status. Without it, as on macOS, returns true, as SIGHUP may be ignored. */
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
   * Copies the action that the JVM installed for SIGTERM: it uses the same function for all signals
   * that it passes on to Java. At no point in between would SIGHUP end the process.
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
