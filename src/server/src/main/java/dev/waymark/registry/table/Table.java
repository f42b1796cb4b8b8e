package dev.waymark.registry.table;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.LoadReport;
import dev.waymark.registry.table.ChangeLog.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What nodes have registered. A node has a session while it is connected; its instances stay for
 * its TTL after the last heartbeat, whether the session was lost or not. A node that comes back
 * opens a new session, and inputs of the former one have no effect any more.
 *
 * <p>Several nodes may speak for the same instance: an agent that was restarted under another name,
 * or one that moves. It is one instance, as the node says that was the last to add it; when that
 * one goes, what another says counts again.
 *
 * <p>What a store has, which several directories share, counts like the word of a node that never
 * expires; but where a node that is registered here says something else, the node counts.
 *
 * <p>A state machine, confined to one thread. Times are monotonic.
 */
public final class Table {
  /** A load that differs by less is not told to watchers at once. */
  private static final double LOAD_STEP = 0.05;

  /** A load that differs at all is told after this time. */
  private static final long LOAD_QUIET_NS = 10_000_000_000L;

  private static final int LOST_NODES_MAX = 1_000;

  /**
   * What is known of a node, for people. Immutable.
   *
   * @param heartbeatNs the time of its last heartbeat
   * @param lostNs since when it has no session, while it is registered, or when it expired; 0: it
   *     is connected
   * @param isExpired whether its instances are gone
   */
  public record NodeView(
      String node,
      long ttlNs,
      int instances,
      long sinceNs,
      long heartbeatNs,
      long lostNs,
      boolean isExpired) {}

  /** An instance that was not taken, and why. Immutable. */
  public record Refusal(InstanceKey key, String reason) {}

  private static final class Node {
    final String name;
    final long sinceNs;
    final boolean isStore;
    long ttlNs;
    long session;
    long heartbeatNs;
    long lostNs;
    final Map<InstanceKey, Instance> instances = new LinkedHashMap<>();

    Node(String name, long sinceNs, boolean isStore) {
      this.name = name;
      this.sinceNs = sinceNs;
      this.isStore = isStore;
    }
  }

  /** One instance, with all nodes that speak for it; the last one counts. */
  private static final class Slot {
    final List<Node> nodes = new ArrayList<>(1);
    LoadReport toldLoad = LoadReport.UNKNOWN;
    long toldNs;
    boolean isDamped;

    Node owner() {
      return nodes.getLast();
    }
  }

  private final TableLimits limits;
  private final ChangeLog log;
  private final FlapDamping damping;
  private final Map<String, Node> nodes = new LinkedHashMap<>();
  private final NavigableMap<String, NavigableMap<String, Slot>> services = new TreeMap<>();
  private final Set<InstanceKey> damped = new HashSet<>();

  /** Nodes that have expired, the last ones first. */
  private final Deque<NodeView> lost = new ArrayDeque<>();

  private int instanceCount;
  private int slotCount;
  private long lastSession;

  public Table(TableLimits limits) {
    this.limits = limits;
    this.log = new ChangeLog(limits.changesMax());
    this.damping = new FlapDamping(limits.dampingHalfLife().toNanos());
  }

  // --- inputs ---

  /**
   * A node has connected, with all its instances. What it had registered before and does not name
   * is de-registered.
   *
   * @param ttlNs within the limits
   * @param refusals receives the instances that were not taken
   * @return its session; 0 if there are too many nodes
   */
  public long open(
      String name,
      long ttlNs,
      Collection<Instance> instances,
      Collection<Refusal> refusals,
      long nowNs) {
    Node node = nodes.get(name);
    if (node == null) {
      if (nodes.size() >= limits.nodesMax()) {
        return 0;
      }
      node = new Node(name, nowNs, false);
      nodes.put(name, node);
    }
    node.ttlNs = ttlNs;
    node.session = ++lastSession;
    Set<InstanceKey> missing = new HashSet<>(node.instances.keySet());
    instances.forEach(instance -> missing.remove(instance.key()));
    change(name, node.session, instances, missing, refusals, nowNs);
    return node.session;
  }

  /**
   * A node has sent a request, even an empty one, which counts as its heartbeat.
   *
   * @param refusals receives the instances that were not taken
   */
  public void change(
      String name,
      long session,
      Collection<Instance> puts,
      Collection<InstanceKey> removes,
      Collection<Refusal> refusals,
      long nowNs) {
    Node node = nodes.get(name);
    if (node == null || node.session != session) {
      return;
    }
    node.heartbeatNs = nowNs;
    node.lostNs = 0;
    removes.forEach(key -> remove(node, key, Kind.DEREGISTERED, nowNs));
    for (Instance instance : puts) {
      String problem = put(node, instance, nowNs);
      if (!problem.isEmpty()) {
        refusals.add(new Refusal(instance.key(), problem));
      }
    }
  }

  /** A node has ended its session by itself: its instances are gone. */
  public void leave(String name, long session, long nowNs) {
    Node node = nodes.get(name);
    if (node != null && node.session == session) {
      removeNode(node, Kind.DEREGISTERED, nowNs);
    }
  }

  /** The session of a node broke off: its instances stay until its TTL has passed. */
  public void lose(String name, long session, long nowNs) {
    Node node = nodes.get(name);
    if (node != null && node.session == session && node.lostNs == 0) {
      node.lostNs = nowNs;
    }
  }

  /**
   * What a store has, has changed.
   *
   * @param name of the store
   */
  public void share(
      String name, Collection<Instance> puts, Collection<InstanceKey> removes, long nowNs) {
    Node store =
        nodes.computeIfAbsent(
            name,
            _ -> {
              Node added = new Node(name, nowNs, true);
              added.ttlNs = Long.MAX_VALUE;
              return added;
            });
    store.heartbeatNs = nowNs;
    // Whether they were deleted or their lease has expired, nobody knows.
    removes.forEach(key -> remove(store, key, Kind.EXPIRED, nowNs));
    puts.forEach(instance -> put(store, instance, nowNs));
  }

  /**
   * Removes what has expired, and ends dampings. To be called several times a second.
   *
   * @return the nodes that have expired
   */
  public List<NodeView> tick(long nowNs) {
    List<Node> expired = new ArrayList<>();
    for (Node node : nodes.values()) {
      if (nowNs - node.heartbeatNs > node.ttlNs) {
        expired.add(node);
      }
    }
    List<NodeView> views = new ArrayList<>();
    for (Node node : expired) {
      views.add(view(node, nowNs, true));
      lost.addFirst(views.getLast());
      if (lost.size() > LOST_NODES_MAX) {
        lost.removeLast();
      }
      removeNode(node, Kind.EXPIRED, nowNs);
    }
    for (InstanceKey key : List.copyOf(damped)) {
      if (!damping.isDamped(key, nowNs)) {
        slot(key).isDamped = false;
        damped.remove(key);
        log.add(key, Kind.PUT);
      }
    }
    return views;
  }

  // --- outputs ---

  public ChangeLog log() {
    return log;
  }

  /** How many nodes are registered, and how many different instances. */
  public int nodeCount() {
    return nodes.size();
  }

  public int instanceCount() {
    return slotCount;
  }

  /** How many instances are damped now. */
  public int dampedCount() {
    return damped.size();
  }

  /** How many registered nodes have no session. */
  public int lostCount() {
    int count = 0;
    for (Node node : nodes.values()) {
      count += node.lostNs == 0 ? 0 : 1;
    }
    return count;
  }

  /** The names of all services with instances. */
  public Set<String> services() {
    return Collections.unmodifiableSet(services.keySet());
  }

  /** The first service whose name comes after this one; empty if there is none. */
  public Optional<String> serviceAfter(String name) {
    return Optional.ofNullable(services.higherKey(name));
  }

  /** The instances of a service, in the order of their addresses; none if it is not known. */
  public List<Entry> instances(String service) {
    NavigableMap<String, Slot> slots =
        services.getOrDefault(service, Collections.emptyNavigableMap());
    List<Entry> entries = new ArrayList<>(slots.size());
    slots.forEach((address, slot) -> entries.add(entry(new InstanceKey(service, address), slot)));
    return entries;
  }

  /** One instance; empty if it is not registered. */
  public Optional<Entry> instance(InstanceKey key) {
    NavigableMap<String, Slot> slots = services.get(key.service());
    Slot slot = slots == null ? null : slots.get(key.address());
    return slot == null ? Optional.empty() : Optional.of(entry(key, slot));
  }

  /** The nodes that speak for an instance; the last one counts. */
  public List<String> nodesOf(InstanceKey key) {
    NavigableMap<String, Slot> slots = services.get(key.service());
    Slot slot = slots == null ? null : slots.get(key.address());
    return slot == null ? List.of() : slot.nodes.stream().map(node -> node.name).toList();
  }

  /** An instance as the nodes say that are registered here; empty if none of them does. */
  public Optional<Instance> local(InstanceKey key) {
    NavigableMap<String, Slot> slots = services.get(key.service());
    Slot slot = slots == null ? null : slots.get(key.address());
    if (slot == null || slot.owner().isStore) {
      return Optional.empty();
    }
    return Optional.ofNullable(slot.owner().instances.get(key));
  }

  /** How long an instance stays damped, in nanoseconds; 0: it is not. */
  public long dampedNs(InstanceKey key, long nowNs) {
    return damped.contains(key) ? damping.remainingNs(key, nowNs) : 0;
  }

  /** All registered nodes, and those that have expired lately. */
  public List<NodeView> nodes(long nowNs) {
    List<NodeView> views = new ArrayList<>();
    nodes.values().forEach(node -> views.add(view(node, nowNs, false)));
    views.addAll(lost);
    return views;
  }

  // --- nodes and slots ---

  private String put(Node node, Instance instance, long nowNs) {
    InstanceKey key = instance.key();
    Instance before = node.instances.get(key);
    if (before == null) {
      if (node.instances.size() >= limits.nodeInstancesMax() && !node.isStore) {
        return "the node has "
            + limits.nodeInstancesMax()
            + " instances, the most that one may have";
      }
      if (instanceCount >= limits.instancesMax()) {
        return "the directory has " + limits.instancesMax() + " instances, its maximum";
      }
      instanceCount++;
    }
    node.instances.put(key, instance);
    Slot slot =
        services
            .computeIfAbsent(key.service(), _ -> new TreeMap<>())
            .computeIfAbsent(key.address(), _ -> new Slot());
    if (before == null) {
      boolean isNew = slot.nodes.isEmpty();
      slot.nodes.add(node.isStore ? 0 : slot.nodes.size(), node);
      if (isNew) {
        slotCount++;
        slot.isDamped = damping.isDamped(key, nowNs);
        if (slot.isDamped) {
          damped.add(key);
        }
      }
      if (slot.owner() == node) {
        tell(key, slot, instance, nowNs);
      }
    } else if (slot.owner() == node && isWorthTelling(before, instance, slot, nowNs)) {
      tell(key, slot, instance, nowNs);
    }
    return "";
  }

  private static boolean isWorthTelling(Instance before, Instance now, Slot slot, long nowNs) {
    if (!before.withLoad(now.load()).equals(now)) {
      return true;
    }
    return !now.load().equals(slot.toldLoad)
        && (nowNs - slot.toldNs >= LOAD_QUIET_NS
            || Math.abs(now.load().utilisation() - slot.toldLoad.utilisation()) >= LOAD_STEP);
  }

  private void tell(InstanceKey key, Slot slot, Instance instance, long nowNs) {
    slot.toldLoad = instance.load();
    slot.toldNs = nowNs;
    log.add(key, Kind.PUT);
  }

  private void removeNode(Node node, Kind why, long nowNs) {
    nodes.remove(node.name);
    for (InstanceKey key : List.copyOf(node.instances.keySet())) {
      remove(node, key, why, nowNs);
    }
  }

  private void remove(Node node, InstanceKey key, Kind why, long nowNs) {
    if (node.instances.remove(key) == null) {
      return;
    }
    instanceCount--;
    Slot slot = slot(key);
    boolean wasOwner = slot.owner() == node;
    slot.nodes.remove(node);
    if (!slot.nodes.isEmpty()) {
      if (wasOwner) {
        log.add(key, Kind.PUT);
      }
      return;
    }
    NavigableMap<String, Slot> slots = slots(key);
    slots.remove(key.address());
    if (slots.isEmpty()) {
      services.remove(key.service());
    }
    slotCount--;
    damped.remove(key);
    damping.onGone(key, nowNs);
    log.add(key, why);
  }

  /** Only of what is registered. */
  private Slot slot(InstanceKey key) {
    return Objects.requireNonNull(slots(key).get(key.address()));
  }

  private NavigableMap<String, Slot> slots(InstanceKey key) {
    return Objects.requireNonNull(services.get(key.service()));
  }

  private static Entry entry(InstanceKey key, Slot slot) {
    return new Entry(Objects.requireNonNull(slot.owner().instances.get(key)), slot.isDamped);
  }

  private static NodeView view(Node node, long nowNs, boolean isExpired) {
    return new NodeView(
        node.name,
        node.ttlNs,
        node.instances.size(),
        node.sinceNs,
        node.heartbeatNs,
        isExpired ? nowNs : node.lostNs,
        isExpired);
  }
}
