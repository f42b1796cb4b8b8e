package dev.waymark.protocol;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a push (rule 6). Immutable.
 *
 * @param id the number that the upstream gave the push
 * @param reason with GONE: why the connection ended, or null if unknown
 * @param closedUnixMs with GONE: when the connection ended, or 0 if unknown
 * @param waitingBytes with FULL: how many pushed bytes of the connection are already waiting
 */
public record PushResult(
    long id, Outcome outcome, @Nullable CloseReason reason, long closedUnixMs, long waitingBytes) {
  /** Outcomes, with the names and numbers of attach.proto. */
  public enum Outcome {
    WRITTEN(1),
    GONE(2),
    NEVER_EXISTED(3),
    FULL(4),
    FENCED(5),
    FORBIDDEN(6),
    EXPIRED(7);

    private final int wireCode;
    private final String label;

    Outcome(int wireCode) {
      this.wireCode = wireCode;
      this.label = name().toLowerCase(Locale.ROOT);
    }

    /** The number in attach.proto. */
    public int wireCode() {
      return wireCode;
    }

    /** The lower-case form for metric labels. */
    public String label() {
      return label;
    }
  }

  public static PushResult of(long id, Outcome outcome) {
    return new PushResult(id, outcome, null, 0, 0);
  }

  public static PushResult full(long id, long waitingBytes) {
    return new PushResult(id, Outcome.FULL, null, 0, waitingBytes);
  }

  public static PushResult gone(long id, @Nullable CloseReason reason, long closedUnixMs) {
    return new PushResult(id, Outcome.GONE, reason, closedUnixMs, 0);
  }
}
