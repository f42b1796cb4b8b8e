package dev.waymark.sim;

import dev.waymark.core.Balancer;
import dev.waymark.core.Mark;
import dev.waymark.core.UpstreamView;
import java.util.List;

/** Any upstream will do. */
final class SimBalancer implements Balancer {
  private final Dice dice;

  SimBalancer(Dice dice) {
    this.dice = dice;
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    return candidates.get(dice.upTo(candidates.size()));
  }

  @Override
  public double share(List<? extends Candidate> candidates, Candidate of) {
    return 1.0 / candidates.size();
  }

  @Override
  public boolean isByKey() {
    return false;
  }

  @Override
  public void onAttached(UpstreamView upstream) {}

  @Override
  public void onDetached(UpstreamView upstream) {}
}
