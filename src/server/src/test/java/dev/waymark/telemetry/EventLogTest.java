package dev.waymark.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.waymark.config.LogConfig;
import dev.waymark.config.LogConfig.Format;
import dev.waymark.config.LogConfig.Level;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.slf4j.LoggerFactory;

@ResourceLock("log")
class EventLogTest {
  private static final String STAMP = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ";

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private long nowNs;
  private final EventLog log = new EventLog(() -> nowNs);

  @AfterEach
  void restore() {
    Logging.configure(new LogConfig(Format.TEXT, Level.WARN, true), System.err);
  }

  @Test
  void text_event_isOneReadableLine() {
    configure(Format.TEXT, Level.INFO, true);
    log.write(
        Event.LISTENER_OPEN,
        "listener",
        "devices",
        "address",
        "127.0.0.1:7000",
        "connections-max",
        5);
    assertThat(lines())
        .singleElement()
        .asString()
        .matches(
            STAMP
                + "INFO  listener-open listener=devices address=127\\.0\\.0\\.1:7000 connections-max=5");
  }

  @Test
  void text_hostileValues_cannotLeaveTheirLine() {
    configure(Format.TEXT, Level.INFO, true);
    log.write(
        Event.STOPPED,
        "a",
        "x\n2026-01-01T00:00:00.000Z ERROR forged",
        "b",
        "say \"hi\" \\",
        "c",
        "",
        "d",
        null);
    log.write(
        Event.STOPPED,
        "e",
        "k=v",
        "f",
        "\u001b[31mred",
        "g",
        "\u202eevil\u2028",
        "h",
        "grüße 😀",
        "i",
        "\ud800");
    assertThat(lines()).hasSize(2);
    assertThat(lines().getFirst())
        .endsWith(
            "a=\"x\\n2026-01-01T00:00:00.000Z ERROR forged\" b=\"say \\\"hi\\\" \\\\\" c=\"\" d=null");
    assertThat(lines().getLast())
        .endsWith(
            "e=\"k=v\" f=\"\\u001b[31mred\" g=\"\\u202eevil\\u2028\" h=\"grüße 😀\" i=\"\\ud800\"");
  }

  @Test
  void json_event_isOneObjectPerLine() {
    configure(Format.JSON, Level.INFO, true);
    log.write(
        Event.UPSTREAM_HEALTH,
        "upstream",
        "a\n\"b\"",
        "count",
        7L,
        "serving",
        true,
        "load",
        Double.NaN,
        "was",
        null);
    LoggerFactory.getLogger("io.grpc.Test").warn("not\nours");
    assertThat(lines()).hasSize(2);
    JsonObject event = JsonParser.parseString(lines().getFirst()).getAsJsonObject();
    assertThat(event.keySet())
        .containsExactly("ts", "level", "event", "upstream", "count", "serving", "load", "was");
    assertThat(event.get("event").getAsString()).isEqualTo("upstream-health");
    assertThat(event.get("upstream").getAsString()).isEqualTo("a\n\"b\"");
    assertThat(event.get("count").getAsLong()).isEqualTo(7);
    assertThat(event.get("serving").getAsBoolean()).isTrue();
    JsonObject other = JsonParser.parseString(lines().getLast()).getAsJsonObject();
    assertThat(other.get("message").getAsString()).isEqualTo("not\nours");
    assertThat(other.get("logger").getAsString()).isEqualTo("io.grpc.Test");
  }

  @Test
  void warnings_inAFlood_areLimitedAndCounted() {
    configure(Format.TEXT, Level.INFO, true);
    for (int i = 0; i < 1_000; i++) {
      log.write(Event.LANE_BROKEN, "upstream", i);
    }
    assertThat(lines()).hasSize(RateLimit.LINES_MAX);
    log.writeSuppressed();
    assertThat(lines()).as("within the interval").hasSize(RateLimit.LINES_MAX);
    nowNs += RateLimit.INTERVAL_NS;
    log.write(Event.LANE_BROKEN, "upstream", "last");
    assertThat(lines().getLast()).endsWith("WARN  lane-broken upstream=last suppressed=980");
    log.write(Event.DISCOVERY_FAILED, "pool", "another event has its own limit");
    assertThat(lines()).hasSize(RateLimit.LINES_MAX + 2);
  }

  @Test
  void writeSuppressed_afterAFlood_reportsTheCountOnce() {
    configure(Format.TEXT, Level.INFO, true);
    for (int i = 0; i < RateLimit.LINES_MAX + 3; i++) {
      log.write(Event.OVER_BUDGET);
    }
    nowNs += RateLimit.INTERVAL_NS;
    log.writeSuppressed();
    log.writeSuppressed();
    assertThat(lines())
        .hasSize(RateLimit.LINES_MAX + 1)
        .last()
        .asString()
        .endsWith("over-budget suppressed=3");
  }

  @Test
  void bug_repeated_hasItsStackTraceOnce() {
    configure(Format.TEXT, Level.INFO, true);
    for (int i = 0; i < 3; i++) {
      log.write(Event.BUG, "error", new IllegalStateException("two\nlines"));
    }
    List<String> lines = lines();
    assertThat(lines.getFirst())
        .endsWith("ERROR bug error=\"java.lang.IllegalStateException: two\\nlines\"");
    assertThat(lines.stream().filter(line -> line.matches(STAMP + ".*"))).hasSize(3);
    assertThat(
            lines.stream().filter(line -> line.contains("at dev.waymark.telemetry.EventLogTest")))
        .isNotEmpty()
        .allMatch(line -> line.startsWith("    "));
    assertThat(lines.subList(lines.size() - 2, lines.size()))
        .noneMatch(line -> line.startsWith(" "));
  }

  @Test
  void accessLog_turnedOff_keepsOtherEvents() {
    configure(Format.TEXT, Level.INFO, false);
    log.write(Event.CONNECTION_CLOSED, "mark", "m");
    assertThat(log.isEnabled(Event.CONNECTION_CLOSED)).isFalse();
    log.write(Event.STOPPED);
    assertThat(lines()).singleElement().asString().endsWith("INFO  stopped");
    configure(Format.TEXT, Level.INFO, true);
    log.write(Event.CONNECTION_CLOSED, "mark", "m");
    assertThat(lines()).last().asString().endsWith("INFO  connection-closed mark=m");
  }

  @Test
  void levels_debug_appliesOnlyToOurLoggers() {
    configure(Format.TEXT, Level.DEBUG, true);
    log.write(Event.CONNECTION_OPENED, "mark", "m");
    LoggerFactory.getLogger("io.netty.Test").info("hidden");
    java.util.logging.Logger.getLogger("io.grpc.Test").info("hidden");
    java.util.logging.Logger.getLogger("io.grpc.Test").warning("shown\nsafely");
    java.util.logging.Logger.getLogger("io.grpc.netty.Test").warning("one per frame of a peer");
    assertThat(lines()).hasSize(2);
    assertThat(lines().getLast()).endsWith("WARN  shown\\nsafely logger=io.grpc.Test");
  }

  private void configure(Format format, Level level, boolean isAccessLogged) {
    Logging.configure(new LogConfig(format, level, isAccessLogged), out);
  }

  private List<String> lines() {
    return new ArrayList<>(out.toString(UTF_8).lines().toList());
  }
}
