package dev.waymark.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

/**
 * Encodes each log event as a JSON object on its own line: ts, level, event (message and logger for
 * libraries), then the keys as fields. Thread-safe.
 */
final class JsonLineEncoder extends EncoderBase<ILoggingEvent> {
  private static final byte[] NOTHING = {};

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
    JsonObject line = new JsonObject();
    line.addProperty("ts", TextEncoder.TIME.format(event.getInstant()));
    line.addProperty("level", event.getLevel().toString());
    if (Logging.isOwn(event.getLoggerName())) {
      line.addProperty("event", event.getFormattedMessage());
    } else {
      line.addProperty("message", event.getFormattedMessage());
      line.addProperty("logger", event.getLoggerName());
    }
    if (event.getKeyValuePairs() != null) {
      for (KeyValuePair pair : event.getKeyValuePairs()) {
        add(line, pair.key, pair.value);
      }
    }
    if (event.getThrowableProxy() != null) {
      line.addProperty("stack", ThrowableProxyUtil.asString(event.getThrowableProxy()));
    }
    return (line + "\n").getBytes(UTF_8);
  }

  private static void add(JsonObject line, String key, @Nullable Object value) {
    switch (value) {
      case Boolean flag -> line.addProperty(key, flag);
      case Double number when !Double.isFinite(number) -> line.addProperty(key, number.toString());
      case Number number -> line.addProperty(key, number);
      case null -> line.add(key, JsonNull.INSTANCE);
      default -> line.addProperty(key, value.toString());
    }
  }
}
