package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.CloseReason;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Poison quarantine (rule 3): a poisonous connection is closed before it kills many upstreams. No
 * other connection is closed with POISON, nor with NO_UPSTREAM while upstreams come back in time.
 */
public final class Innocents implements Watcher {
  private static final String RULE = "rule 3 (innocents)";

  /** Generous: two losses make a suspect; probation in a group, and twice alone, may follow. */
  private static final int KILLS_MAX = 20;

  private final boolean isPoisonOnly;
  private final long noUpstreamWaitNs;
  private final int shards;
  private final Map<Long, Integer> kills = new HashMap<>();
  private final Set<Long> poisonous = new HashSet<>();

  /** How long no upstream had served when a connection ended; its socket may close much later. */
  private final Map<Long, Long> unservedNs = new HashMap<>();

  private long nowNs;

  /** By shard. */
  private final Map<Integer, Long> servedNs = new HashMap<>();

  /**
   * @param isPoisonOnly whether nothing else kills upstreams or breaks lanes in this run
   * @param noUpstreamWaitNs 0 if ends with NO_UPSTREAM are not checked
   * @param shards the number of shards
   */
  public Innocents(boolean isPoisonOnly, long noUpstreamWaitNs, int shards) {
    this.shards = shards;
    this.isPoisonOnly = isPoisonOnly;
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
    require(
        !isPoisonOnly || count <= KILLS_MAX,
        RULE,
        "it kills too many upstreams",
        connection,
        count);
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

  /** Checks the end that the bridge has reported. */
  public void checkEnd(long connection, CloseReason reason) {
    if (reason == CloseReason.POISON) {
      require(
          !isPoisonOnly || poisonous.contains(connection),
          RULE,
          "POISON for a connection that killed no upstream",
          connection);
    }
    if (reason == CloseReason.NO_UPSTREAM && noUpstreamWaitNs > 0) {
      long unserved = unservedNs.getOrDefault(connection, unservedNs(connection));
      require(
          unserved >= noUpstreamWaitNs,
          RULE,
          "NO_UPSTREAM although one was serving within the wait",
          connection,
          unserved);
    }
  }
}
