package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts what happens to a stub's connections. Thread-safe. */
final class StubStats {
  private final LongAdder opens = new LongAdder();
  private final LongAdder reopens = new LongAdder();
  private final LongAdder replayedOpens = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder released = new LongAdder();
  private final LongAdder fenced = new LongAdder();
  private final LongAdder requests = new LongAdder();

  void onOpen(@Nullable ResumeState reopen) {
    opens.increment();
    if (reopen == null) {
      return;
    }
    reopens.increment();
    switch (reopen.cause()) {
      case LANE_BROKEN, STALLED -> replayedOpens.increment();
      default -> {}
    }
  }

  void onRefused() {
    refused.increment();
  }

  void onRequest() {
    requests.increment();
  }

  void onClose(CloseReason reason) {
    switch (reason) {
      case MOVED -> released.increment();
      case FENCED -> fenced.increment();
      default -> {}
    }
  }

  StubServer.Stats now() {
    return new StubServer.Stats(
        opens.sum(),
        reopens.sum(),
        replayedOpens.sum(),
        refused.sum(),
        released.sum(),
        fenced.sum(),
        requests.sum());
  }
}
