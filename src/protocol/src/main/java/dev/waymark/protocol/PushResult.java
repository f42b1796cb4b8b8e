package dev.waymark.protocol;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What became of a push (rule 6). Immutable.
 *
 * @param id the upstream's own number of the push
 * @param reason of GONE, if it is known
 * @param closedUnixMs of GONE, if it is known, else 0
 * @param waitingBytes of FULL: how many pushed bytes of the connection wait already
 */
public record PushResult(
    long id, Outcome outcome, @Nullable CloseReason reason, long closedUnixMs, long waitingBytes) {
  /** The names and numbers of attach.proto. */
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

    /** The lower-case form in metric labels. */
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
