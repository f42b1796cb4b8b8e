package dev.waymark.upstreams;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.net.dial.UpstreamProblem;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** The events of a pool, as text. Thread-safe. */
final class RecordedEvents implements PoolEvents {
  final List<String> events = new CopyOnWriteArrayList<>();

  /** The upstream, kind and text of every reported problem. */
  final List<String> problems = new CopyOnWriteArrayList<>();

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
  public void onUpstreamEjected(String pool, String upstream, OutlierSignal why, long forNs) {
    events.add("ejected " + upstream + " " + why);
  }

  @Override
  public void onUpstreamReturned(String pool, String upstream) {
    events.add("returned " + upstream);
  }

  @Override
  public void onUpstreamNotServing(
      String pool, String upstream, UpstreamProblem problem, long forNs) {
    problems.add(upstream + " " + problem.kind().label() + ": " + problem.text());
  }

  @Override
  public void onProblemChanged(
      String pool,
      String upstream,
      UpstreamProblem.@Nullable Kind from,
      UpstreamProblem.@Nullable Kind to) {}

  @Override
  public void onDiscoveryFailing(String pool, String name, UpstreamProblem problem, long forNs) {
    events.add("failed " + name + " " + problem.text());
  }

  @Override
  public void onNotFound(String pool) {}

  @Override
  public void onHealthWatchBroken(String pool, String upstream, String reason) {
    events.add("broken " + upstream + " " + reason);
  }
}
