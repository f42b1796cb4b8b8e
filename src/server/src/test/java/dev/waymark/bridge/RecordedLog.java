package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.slf4j.LoggerFactory;

/** Records what is logged in this process, from INFO on, until it is closed. Thread-safe. */
final class RecordedLog extends AppenderBase<ILoggingEvent> implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final Logger logger = (Logger) LoggerFactory.getLogger("waymark");
  private final Level levelBefore = logger.getLevel();
  private final List<String> lines = new CopyOnWriteArrayList<>();

  RecordedLog() {
    logger.setLevel(Level.INFO);
    logger.addAppender(this);
    start();
  }

  @Override
  protected void append(ILoggingEvent event) {
    lines.add(event.getMessage() + " " + event.getKeyValuePairs());
  }

  /** Waits for an event whose keys and values have all of these texts. */
  void await(String event, String... texts) {
    Awaitility.await()
        .atMost(TIMEOUT)
        .untilAsserted(() ->
            assertThat(lines)
                .anySatisfy(line -> assertThat(line).startsWith(event + " ").contains(texts)));
  }

  @Override
  public void close() {
    logger.detachAppender(this);
    logger.setLevel(levelBefore);
    stop();
  }
}
