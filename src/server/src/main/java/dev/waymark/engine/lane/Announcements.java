package dev.waymark.engine.lane;

import dev.waymark.engine.connection.Connection;
import dev.waymark.protocol.CloseReason;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The announcers of all lanes of a shard that asked for announcements. Confined to its shard's
 * thread.
 */
public final class Announcements {
  private final LongFunction<@Nullable Connection> connections;
  private final Supplier<long[]> sequences;
  private final List<Announcer> announcers = new ArrayList<>();

  /**
   * @param connections finds the open connection with a sequence, or null
   * @param sequences the sequences of all open connections
   */
  public Announcements(LongFunction<@Nullable Connection> connections, Supplier<long[]> sequences) {
    this.connections = connections;
    this.sequences = sequences;
  }

  /** The lane asked for announcements. Idempotent. */
  public void start(Lane lane) {
    for (Announcer announcer : announcers) {
      if (announcer.lane() == lane) {
        return;
      }
    }
    announcers.add(new Announcer(lane, connections, sequences));
  }

  /** The lane has ended, or no longer wants announcements. */
  public void stop(Lane lane) {
    announcers.removeIf(announcer -> announcer.lane() == lane);
  }

  public void onOpened(Connection connection) {
    for (Announcer announcer : announcers) {
      announcer.onOpened(connection);
    }
  }

  public void onClosed(Connection connection, CloseReason reason) {
    for (Announcer announcer : announcers) {
      announcer.onClosed(connection, reason);
    }
  }

  /** Whether there are announcements for a lane that is writable. */
  public boolean hasMore() {
    for (Announcer announcer : announcers) {
      if (announcer.hasMore()) {
        return true;
      }
    }
    return false;
  }

  /** Sends each lane its share of this turn. */
  public void send() {
    for (Announcer announcer : announcers) {
      announcer.send();
    }
  }
}
