package dev.waymark.pool;

import dev.waymark.core.Suspicion;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a pool said, as text. Thread-safe. */
final class RecordedEvents implements PoolEvents {
  final List<String> events = new CopyOnWriteArrayList<>();

  @Override
  public void onUpstreamFound(String pool, String upstream) {
    events.add("found " + upstream);
  }

  @Override
  public void onUpstreamGone(String pool, String upstream) {
    events.add("gone " + upstream);
  }

  @Override
  public void onHealthChanged(String pool, String upstream, String from, String to) {
    events.add("health " + upstream + " " + from + " " + to);
  }

  @Override
  public void onUpstreamEjected(String pool, String upstream, Suspicion why, long forNs) {
    events.add("ejected " + upstream + " " + why);
  }

  @Override
  public void onUpstreamReturned(String pool, String upstream) {
    events.add("returned " + upstream);
  }

  @Override
  public void onDiscoveryFailed(String pool, String name, String reason) {
    events.add("failed " + name + " " + reason);
  }

  @Override
  public void onHealthWatchBroken(String pool, String upstream, String reason) {
    events.add("broken " + upstream + " " + reason);
  }
}
