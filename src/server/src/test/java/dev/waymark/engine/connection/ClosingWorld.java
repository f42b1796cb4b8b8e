package dev.waymark.engine.connection;

import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.UpstreamControl;

/** A world with one connection. Confined to one thread. */
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

  /** How lanes come to be is nothing that the table shows. */
  void forgetLanes() {
    fixtures.effects.removeIf(effect -> effect.startsWith("connect") || effect.startsWith("Hello"));
  }
}
