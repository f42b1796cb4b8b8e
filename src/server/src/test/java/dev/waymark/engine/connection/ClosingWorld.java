package dev.waymark.engine.connection;

import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.UpstreamControl;

/** A shard with one connection, to which the events of a row happen. Confined to one thread. */
final class ClosingWorld {
  Fixtures fixtures = new Fixtures();

  @SuppressWarnings("NullAway.Init") // The first event of every row makes it.
  Connection connection;

  void accept() {
    connection = fixtures.accept();
    fixtures.takeEffects();
  }

  long nowNs() {
    return fixtures.nowNs;
  }

  void control(UpstreamControl control) {
    fixtures.control(fixtures.lane(), control);
  }

  /** Drops the effects of opening lanes, which the table does not show. */
  void forgetLanes() {
    fixtures.effects.removeIf(effect -> effect.startsWith("connect") || effect.startsWith("Hello"));
  }
}
