package dev.waymark.sim;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.Balancer;
import dev.waymark.protocol.Mark;
import java.util.List;

/** Chooses upstreams at random, or by a hash of the connection's sequence, as the seed decides. */
final class SimBalancer implements Balancer {
  private final Dice dice;
  private final boolean isByKey;
  private int attached;

  SimBalancer(Dice dice) {
    this.dice = dice;
    this.isByKey = dice.oneIn(4);
  }

  /** The number of connections attached, according to the callbacks. */
  int attached() {
    return attached;
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    int key = (int) ((mark.sequence() * 0x9E3779B9L) >>> 16);
    int index = isByKey ? Math.floorMod(key, candidates.size()) : dice.upTo(candidates.size());
    return candidates.get(index);
  }

  @Override
  public double share(List<? extends Candidate> candidates, Candidate of) {
    return 1.0 / candidates.size();
  }

  @Override
  public boolean isByKey() {
    return isByKey;
  }

  @Override
  public void onAttached(UpstreamView upstream) {
    attached++;
  }

  @Override
  public void onDetached(UpstreamView upstream) {
    attached--;
  }
}
