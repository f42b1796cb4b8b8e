package dev.waymark.engine;

import dev.waymark.protocol.CloseReason;
import java.util.ArrayList;
import java.util.List;

/** The lanes of a shard that asked for announcements. Confined to its shard's thread. */
final class Announcements {
  private final Shard shard;
  private final List<Announcer> announcers = new ArrayList<>();

  Announcements(Shard shard) {
    this.shard = shard;
  }

  /** The lane asked for them, were it again. */
  void start(Lane lane) {
    for (Announcer announcer : announcers) {
      if (announcer.lane() == lane) {
        return;
      }
    }
    announcers.add(new Announcer(lane, shard));
  }

  /** The lane has ended. */
  void stop(Lane lane) {
    announcers.removeIf(announcer -> announcer.lane() == lane);
  }

  void onOpened(Connection connection) {
    for (Announcer announcer : announcers) {
      announcer.onOpened(connection);
    }
  }

  void onClosed(Connection connection, CloseReason reason) {
    for (Announcer announcer : announcers) {
      announcer.onClosed(connection, reason);
    }
  }

  /** Some lane would take more. */
  boolean hasMore() {
    for (Announcer announcer : announcers) {
      if (announcer.hasMore()) {
        return true;
      }
    }
    return false;
  }

  /** Sends a turn's share to each lane. */
  void send() {
    for (Announcer announcer : announcers) {
      announcer.send();
    }
  }
}
