package dev.waymark.registry.table;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.LoadReport;
import dev.waymark.registry.table.ChangeLog.Change;
import dev.waymark.registry.table.ChangeLog.Kind;
import dev.waymark.registry.table.Table.NodeView;
import dev.waymark.registry.table.Table.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long TTL = 10 * SECOND;

  private final Table table =
      new Table(new TableLimits(Duration.ofSeconds(10), 3, 5, 4, 100, Duration.ofSeconds(60)));
  private final List<Refusal> refusals = new ArrayList<>();
  private long now = 1_000 * SECOND;

  // --- sessions ---

  @Test
  void instances_ofAConnectedNode_areRegistered() {
    open("a", instance("1"), instance("2"));
    assertThat(addresses()).containsExactly("1", "2");
    assertThat(table.nodesOf(key("1"))).containsExactly("a");
  }

  @Test
  void node_thatSendsHeartbeats_staysForEver() {
    long session = open("a", instance("1"));
    for (int i = 0; i < 100; i++) {
      now += 9 * SECOND;
      heartbeat("a", session);
      assertThat(table.tick(now)).isEmpty();
    }
    assertThat(addresses()).containsExactly("1");
  }

  @Test
  void node_thatIsSilentForItsTtl_expires() {
    open("a", instance("1"));
    now += TTL;
    assertThat(table.tick(now)).isEmpty();
    now++;
    assertThat(table.tick(now)).extracting(NodeView::node).containsExactly("a");
    assertThat(addresses()).isEmpty();
    assertThat(lastChange()).isEqualTo(new Change(key("1"), Kind.EXPIRED));
    assertThat(table.nodes(now)).singleElement().matches(NodeView::isExpired);
  }

  @Test
  void node_whoseSessionIsLost_staysForItsTtl() {
    long session = open("a", instance("1"));
    table.lose("a", session, now);
    now += TTL;
    table.tick(now);
    assertThat(addresses()).containsExactly("1");
    assertThat(table.lostCount()).isEqualTo(1);
    now++;
    table.tick(now);
    assertThat(addresses()).isEmpty();
  }

  @Test
  void node_thatLeaves_isGoneAtOnce() {
    long session = open("a", instance("1"));
    table.leave("a", session, now);
    assertThat(addresses()).isEmpty();
    assertThat(lastChange()).isEqualTo(new Change(key("1"), Kind.DEREGISTERED));
  }

  @Test
  void node_thatComesBack_keepsWhatItNamesAndNothingElse() {
    open("a", instance("1"), instance("2"));
    long version = table.log().version();
    open("a", instance("2"), instance("3"));
    assertThat(addresses()).containsExactly("2", "3");
    assertThat(changesSince(version))
        .containsExactly(new Change(key("1"), Kind.DEREGISTERED), new Change(key("3"), Kind.PUT));
  }

  @Test
  void formerSession_hasNoEffectAnyMore() {
    long former = open("a", instance("1"));
    open("a", instance("1"));
    table.leave("a", former, now);
    table.lose("a", former, now);
    change("a", former, List.of(instance("9")), List.of());
    assertThat(addresses()).containsExactly("1");
    assertThat(table.lostCount()).isZero();
  }

  @Test
  void change_putsAndRemoves() {
    long session = open("a", instance("1"), instance("2"));
    change("a", session, List.of(instance("3")), List.of(key("1"), key("unknown")));
    assertThat(addresses()).containsExactly("2", "3");
  }

  // --- the same instance from several nodes ---

  @Test
  void instance_ofTwoNodes_isOneAsTheLastOneSays() {
    open("a", instance("1"));
    long second = open("b", heavy("1"));
    assertThat(weights()).containsExactly(7);
    table.leave("b", second, now);
    assertThat(weights()).containsExactly(1);
    assertThat(lastChange()).isEqualTo(new Change(key("1"), Kind.PUT));
  }

  @Test
  void instance_thatMovesToAnotherNode_isNeverGone() {
    open("old", instance("1"));
    long version = table.log().version();
    open("new", instance("1"));
    now += TTL;
    heartbeat("new", 2);
    now += SECOND;
    table.tick(now);
    assertThat(table.nodesOf(key("1"))).containsExactly("new");
    assertThat(changesSince(version)).extracting(Change::kind).containsOnly(Kind.PUT);
  }

  @Test
  void change_byANodeThatIsNotTheLast_isNotTold() {
    long first = open("a", instance("1"));
    open("b", instance("1"));
    long version = table.log().version();
    change("a", first, List.of(heavy("1")), List.of());
    assertThat(changesSince(version)).isEmpty();
    assertThat(weights()).containsExactly(1);
  }

  // --- a store ---

  @Test
  void whatAStoreHas_neverExpires() {
    table.share("store", List.of(instance("1")), List.of(), now);
    now += 100 * TTL;
    table.tick(now);
    assertThat(addresses()).containsExactly("1");
    assertThat(table.local(key("1"))).isEmpty();
    table.share("store", List.of(), List.of(key("1")), now);
    assertThat(lastChange()).isEqualTo(new Change(key("1"), Kind.EXPIRED));
  }

  @Test
  void nodeThatIsRegisteredHere_countsMoreThanTheStore() {
    long session = open("a", instance("1"));
    table.share("store", List.of(heavy("1")), List.of(), now);
    assertThat(weights()).containsExactly(1);
    assertThat(table.local(key("1"))).contains(instance("1"));
    table.leave("a", session, now);
    assertThat(weights()).containsExactly(7);
    open("a", instance("1"));
    assertThat(weights()).containsExactly(1);
  }

  // --- what is told ---

  @Test
  void heartbeat_changesNothing() {
    long session = open("a", instance("1"));
    long version = table.log().version();
    heartbeat("a", session);
    change("a", session, List.of(instance("1")), List.of());
    assertThat(table.log().version()).isEqualTo(version);
  }

  @Test
  void load_isToldWhenItDiffersMuchOrAfterAWhile() {
    long session = open("a", instance("1"));
    long version = table.log().version();
    change("a", session, List.of(loaded("1", 0.04)), List.of());
    assertThat(table.log().version()).isEqualTo(version);
    change("a", session, List.of(loaded("1", 0.06)), List.of());
    assertThat(table.log().version()).isEqualTo(version + 1);
    now += 10 * SECOND;
    change("a", session, List.of(loaded("1", 0.07)), List.of());
    assertThat(table.log().version()).isEqualTo(version + 2);
    assertThat(table.instances("echo").getFirst().instance().load().utilisation()).isEqualTo(0.07);
  }

  // --- limits ---

  @Test
  void node_beyondTheMaximum_isRefused() {
    open("a");
    open("b");
    open("c");
    assertThat(open("d")).isZero();
    assertThat(open("a")).isNotZero();
  }

  @Test
  void instance_beyondTheMaximumOfANode_isRefusedAlone() {
    open("a", instance("1"), instance("2"), instance("3"), instance("4"), instance("5"));
    assertThat(addresses()).hasSize(4);
    assertThat(refusals)
        .containsExactly(
            new Refusal(key("5"), "the node has 4 instances, the most that one may have"));
  }

  @Test
  void instance_beyondTheMaximumOfAll_isRefusedAlone() {
    open("a", instance("1"), instance("2"), instance("3"), instance("4"));
    open("b", instance("5"), instance("6"));
    assertThat(addresses()).containsExactly("1", "2", "3", "4", "5");
    assertThat(refusals)
        .containsExactly(new Refusal(key("6"), "the directory has 5 instances, its maximum"));
  }

  // --- damping ---

  @Test
  void instance_thatComesAndGoesOften_isDampedUntilItIsStable() {
    for (int i = 0; i < 4; i++) {
      table.leave("a", open("a", instance("1")), now);
      now += SECOND;
    }
    long session = open("a", instance("1"));
    assertThat(table.instances("echo")).singleElement().matches(Entry::isDamped);
    assertThat(table.dampedNs(key("1"), now)).isBetween(60 * SECOND, 120 * SECOND);
    long version = table.log().version();
    while (table.dampedCount() > 0) {
      now += SECOND;
      heartbeat("a", session);
      table.tick(now);
    }
    assertThat(table.instances("echo")).singleElement().matches(Entry::isUsable);
    assertThat(changesSince(version)).containsExactly(new Change(key("1"), Kind.PUT));
  }

  @Test
  void instance_thatIsDeployedThreeTimes_isNotDamped() {
    for (int i = 0; i < 3; i++) {
      table.leave("a", open("a", instance("1")), now);
    }
    open("a", instance("1"));
    assertThat(table.dampedCount()).isZero();
  }

  // --- the log of changes ---

  @Test
  void log_forgetsTheOldestChanges() {
    long session = open("a", instance("1"));
    long version = table.log().version();
    for (int i = 0; i < 50; i++) {
      change("a", session, List.of(instance("2")), List.of());
      change("a", session, List.of(), List.of(key("2")));
    }
    assertThat(table.log().reaches(version)).isTrue();
    assertThat(table.log().reaches(version - 1)).isFalse();
    assertThat(table.log().reaches(0)).isFalse();
    assertThat(table.log().reaches(table.log().version() + 1)).isFalse();
  }

  // --- helpers ---

  private long open(String node, Instance... instances) {
    return table.open(node, TTL, List.of(instances), refusals, now);
  }

  private void heartbeat(String node, long session) {
    change(node, session, List.of(), List.of());
  }

  private void change(String node, long session, List<Instance> puts, List<InstanceKey> removes) {
    table.change(node, session, puts, removes, refusals, now);
  }

  private static InstanceKey key(String address) {
    return new InstanceKey("echo", address);
  }

  private static Instance instance(String address) {
    return new Instance("echo", address, 1, 0, Map.of(), Health.HEALTHY, LoadReport.UNKNOWN);
  }

  private static Instance heavy(String address) {
    return new Instance("echo", address, 7, 0, Map.of(), Health.HEALTHY, LoadReport.UNKNOWN);
  }

  private static Instance loaded(String address, double utilisation) {
    return instance(address).withLoad(new LoadReport(utilisation, 0, 0, 0, 0, 0));
  }

  private List<String> addresses() {
    return table.instances("echo").stream().map(entry -> entry.instance().address()).toList();
  }

  private List<Integer> weights() {
    return table.instances("echo").stream().map(entry -> entry.instance().weight()).toList();
  }

  private Change lastChange() {
    return table.log().after(table.log().version() - 1);
  }

  private List<Change> changesSince(long version) {
    List<Change> changes = new ArrayList<>();
    for (long at = version; at < table.log().version(); at++) {
      changes.add(table.log().after(at));
    }
    return changes;
  }
}
