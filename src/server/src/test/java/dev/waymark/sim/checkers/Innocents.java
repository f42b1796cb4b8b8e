package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.CloseReason;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Poison (rule 3): whoever sends it ends before it has killed many upstreams, and nobody else is
 * closed for it, nor for want of an upstream while one comes back within the wait.
 */
public final class Innocents implements Watcher {
  private static final String RULE = "rule 3 (innocents)";

  /** Two losses make a suspect; a group of suspects and two lone probation may follow. */
  private static final int KILLS_MAX = 20;

  private final boolean isPoisonAlone;
  private final long noUpstreamWaitNs;
  private final int shards;
  private final Map<Long, Integer> kills = new HashMap<>();
  private final Set<Long> poisonous = new HashSet<>();

  /** How long nobody had served when a connection ended; its socket may close much later. */
  private final Map<Long, Long> unservedNs = new HashMap<>();

  private long nowNs;

  /** By shard. */
  private final Map<Integer, Long> servedNs = new HashMap<>();

  /**
   * @param isPoisonAlone nothing else kills upstreams or breaks lanes in this run
   * @param noUpstreamWaitNs 0: nobody waits
   * @param shards of the bridge
   */
  public Innocents(boolean isPoisonAlone, long noUpstreamWaitNs, int shards) {
    this.shards = shards;
    this.isPoisonAlone = isPoisonAlone;
    this.noUpstreamWaitNs = noUpstreamWaitNs;
  }

  @Override
  public void onTime(long now) {
    nowNs = now;
  }

  @Override
  public void onServing(int shard) {
    servedNs.put(shard, nowNs);
  }

  @Override
  public void onKill(long connection) {
    poisonous.add(connection);
    int count = kills.merge(connection, 1, Integer::sum);
    require(!isPoisonAlone || count <= KILLS_MAX, RULE, "it kills on and on", connection, count);
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (how == Leaving.ENDED) {
      unservedNs.putIfAbsent(connection, unservedNs(connection));
    }
  }

  @Override
  public void onSocketClosed(long connection) {
    unservedNs.remove(connection);
  }

  private long unservedNs(long connection) {
    Long served = servedNs.get((int) (connection % shards));
    return served == null ? Long.MAX_VALUE : nowNs - served;
  }

  /** How a connection ended, as the bridge says. */
  public void checkEnd(long connection, CloseReason reason) {
    if (reason == CloseReason.POISON) {
      require(
          !isPoisonAlone || poisonous.contains(connection),
          RULE,
          "POISON for one that killed nobody",
          connection);
    }
    if (reason == CloseReason.NO_UPSTREAM && noUpstreamWaitNs > 0) {
      long unserved = unservedNs.getOrDefault(connection, unservedNs(connection));
      require(
          unserved >= noUpstreamWaitNs,
          RULE,
          "NO_UPSTREAM though one was there within the wait",
          connection,
          unserved);
    }
  }
}
