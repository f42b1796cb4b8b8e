package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import io.netty.handler.ssl.SslContext;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a stub answers. Immutable.
 *
 * @param acknowledge whether to acknowledge; if false, the stub sends no Settings
 * @param reply the reply to messages that no rule matches; null echoes the message
 * @param rules tried first, in order
 * @param delay how long to delay every reply, in addition to its rule's delay
 * @param logsFrames whether to log an INFO line for every chunk of data and every event, in both
 *     directions
 * @param name the value of {@code ${name}} in replies; null for the first address
 * @param refusal the reason with which to refuse every connection; null refuses none
 * @param wantsAnnouncements whether to have all connections announced; requires {@code acknowledge}
 * @param tls null for plain text
 */
public record StubOptions(
    boolean acknowledge,
    @Nullable String reply,
    Rules rules,
    Duration delay,
    boolean logsFrames,
    @Nullable String name,
    @Nullable CloseReason refusal,
    boolean wantsAnnouncements,
    @Nullable SslContext tls) {
  /** Echoes bytes. */
  public static final StubOptions ECHO =
      new StubOptions(true, null, Rules.NONE, Duration.ZERO, false, null, null, false, null);

  /** Whether replies depend on message boundaries. */
  boolean needsMessages() {
    return reply != null || !rules.isEmpty();
  }
}
