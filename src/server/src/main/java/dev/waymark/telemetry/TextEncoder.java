package dev.waymark.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.slf4j.event.KeyValuePair;

/**
 * Encodes log events as {@code 2026-11-21T11:03:00.123Z INFO event key=value…}, followed by
 * indented stack traces. Thread-safe.
 */
final class TextEncoder extends EncoderBase<ILoggingEvent> {
  static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private static final byte[] NOTHING = {};
  private static final int LEVEL_WIDTH = 5;
  private static final String STACK_INDENT = "    ";

  @Override
  public byte[] headerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] footerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(128);
    String level = event.getLevel().toString();
    TIME.formatTo(event.getInstant(), line);
    line.append(' ').append(level).repeat(' ', Math.max(1, LEVEL_WIDTH + 1 - level.length()));
    LineText.appendEscaped(line, String.valueOf(event.getFormattedMessage()), false);
    if (event.getKeyValuePairs() != null) {
      for (KeyValuePair pair : event.getKeyValuePairs()) {
        appendPair(line, pair.key, String.valueOf(pair.value));
      }
    }
    if (!Logging.isOwn(event.getLoggerName())) {
      appendPair(line, "logger", event.getLoggerName());
    }
    line.append('\n');
    if (event.getThrowableProxy() != null) {
      appendStack(line, event.getThrowableProxy());
    }
    return line.toString().getBytes(UTF_8);
  }

  private static void appendPair(StringBuilder line, String key, String value) {
    line.append(' ').append(key).append('=');
    LineText.appendValue(line, value);
  }

  private static void appendStack(StringBuilder out, IThrowableProxy error) {
    ThrowableProxyUtil.asString(error)
        .lines()
        .forEach(line -> {
          out.append(STACK_INDENT);
          LineText.appendEscaped(out, line.replace("\t", STACK_INDENT), false);
          out.append('\n');
        });
  }
}
