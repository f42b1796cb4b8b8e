package dev.waymark.tools.directory;

import com.google.protobuf.ByteString;
import dev.waymark.config.BadValueException;
import dev.waymark.etcd.EtcdClient;
import dev.waymark.etcd.EtcdPublisher;
import dev.waymark.etcd.EtcdWatch;
import dev.waymark.etcd.NamingValue;
import dev.waymark.etcd.PrefixListener;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.table.ChangeLog;
import dev.waymark.registry.table.Table;
import dev.waymark.registry.wire.BadInstanceException;
import dev.waymark.registry.wire.InstanceReader;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.upstreams.control.ControlLoop;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Shares what is registered through etcd, with other directories and with whoever else reads or
 * writes there: {@code PREFIX/SERVICE/ADDRESS} has the value of etcd's Go package naming/endpoints.
 * What the nodes of this directory register is kept there under one lease, so it is gone one TTL
 * after the directory has died, unless its nodes have gone to another one, which puts the same
 * keys. What others have put there counts as registered here too.
 *
 * <p>While etcd is away, nodes register as always, and what was known of others stays. Confined to
 * the directory's loop.
 */
final class EtcdStore implements PrefixListener {
  /** The name of the node that speaks for what others have put there. */
  static final String NODE = "etcd";

  private final Table table;
  private final ControlLoop control;
  private final String prefix;
  private final int instancesMax;
  private final Duration ttl;
  private final EventLog log;
  private final Runnable onRead;
  private final EtcdClient client;
  private final EtcdPublisher publisher;
  private final EtcdWatch watch;

  /** What etcd has, by its key. */
  private Map<ByteString, Instance> known = new LinkedHashMap<>();

  /** The keys of each instance; usually one. */
  private final Map<InstanceKey, List<ByteString>> keys = new HashMap<>();

  /** The list that is arriving; empty: none is. */
  private Optional<Map<ByteString, Instance>> incoming = Optional.empty();

  /** Not in etcd any more since it has lost its data, and kept until their owners are back. */
  private final Set<ByteString> doubted = new HashSet<>();

  private final Map<InstanceKey, ByteString> published = new HashMap<>();
  private long publishedVersion;
  private String problem = "";

  /**
   * @param client closed by this
   * @param prefix of all keys, without the slash that follows it
   * @param ttl of the lease
   * @param onRead called when all that etcd has is known, for the first time
   */
  EtcdStore(
      Table table,
      ControlLoop control,
      RandomGenerator random,
      EtcdClient client,
      String prefix,
      int instancesMax,
      Duration ttl,
      EventLog log,
      Runnable onRead) {
    this.table = table;
    this.control = control;
    this.prefix = prefix;
    this.instancesMax = instancesMax;
    this.ttl = ttl;
    this.log = log;
    this.onRead = onRead;
    this.client = client;
    this.publisher = new EtcdPublisher(client, control, random, ttl);
    this.watch = new EtcdWatch(client, control, random, prefix + "/", this);
    this.publishedVersion = table.log().version();
  }

  void start() {
    watch.start();
    publisher.start();
  }

  /**
   * Ends. What this directory has put there stays until its lease has expired: its nodes go to
   * another directory meanwhile, and nobody sees them gone.
   */
  void close() {
    watch.close();
    client.close();
  }

  /** Why etcd cannot be used now; empty if it can. */
  String problem() {
    return problem;
  }

  // --- to etcd ---

  /** Puts there what has changed. To be called many times a second. */
  void flush() {
    ChangeLog changes = table.log();
    if (!changes.reaches(publishedVersion)) {
      publishAll();
      return;
    }
    while (publishedVersion < changes.version()) {
      publish(changes.after(publishedVersion++).key());
    }
  }

  private void publishAll() {
    publishedVersion = table.log().version();
    Set<InstanceKey> all = new HashSet<>(published.keySet());
    for (String service : table.services()) {
      table.instances(service).forEach(entry -> all.add(entry.instance().key()));
    }
    all.forEach(this::publish);
  }

  private void publish(InstanceKey key) {
    Optional<ByteString> value = table.local(key).map(NamingValue::write);
    if (value.isEmpty()) {
      if (published.remove(key) != null) {
        publisher.remove(path(key));
      }
    } else if (!value.get().equals(published.get(key))) {
      try {
        publisher.put(path(key), value.get());
        published.put(key, value.get());
      } catch (IllegalArgumentException tooMuch) {
        log.write(Event.STORE_FAILED, "store", NODE, "problem", tooMuch.getMessage());
      }
    }
  }

  private String path(InstanceKey key) {
    return prefix + "/" + key.service() + "/" + key.address();
  }

  // --- from etcd ---

  @Override
  public void onList() {
    incoming = Optional.of(new LinkedHashMap<>());
  }

  @Override
  public void onPut(ByteString key, ByteString value) {
    Optional<Instance> instance = read(key, value);
    if (incoming.isPresent()) {
      instance.ifPresent(read -> incoming.get().put(key, read));
    } else if (instance.isPresent()) {
      put(key, instance.get());
    } else {
      delete(key);
    }
  }

  /** A value that cannot be read costs only itself. */
  private Optional<Instance> read(ByteString key, ByteString value) {
    String path = key.toString(StandardCharsets.UTF_8).substring(prefix.length() + 1);
    int slash = path.indexOf('/');
    try {
      String service = InstanceReader.service(slash < 0 ? "" : path.substring(0, slash));
      return Optional.of(NamingValue.read(service, value));
    } catch (BadInstanceException unusable) {
      logBad(path, unusable.reason());
    } catch (BadValueException unusable) {
      logBad(path, "expected: " + unusable.expected());
    }
    return Optional.empty();
  }

  private void logBad(String path, String why) {
    log.write(
        Event.INSTANCE_REFUSED,
        "node",
        NODE,
        "instances",
        1,
        "reason",
        "key " + prefix + "/" + path + ": " + why);
  }

  @Override
  public void onDelete(ByteString key) {
    if (incoming.isPresent()) {
      incoming.get().remove(key);
    } else {
      delete(key);
    }
  }

  private void put(ByteString key, Instance instance) {
    doubted.remove(key);
    Instance before = known.put(key, instance);
    if (before != null && !before.key().equals(instance.key())) {
      forget(key, before.key());
    }
    List<ByteString> all = keys.computeIfAbsent(instance.key(), _ -> new ArrayList<>(1));
    all.remove(key);
    all.add(key);
    table.share(NODE, List.of(instance), List.of(), now());
  }

  private void delete(ByteString key) {
    doubted.remove(key);
    Instance gone = known.remove(key);
    if (gone != null) {
      forget(key, gone.key());
    }
  }

  /** Of several keys of an instance, another one counts when one goes. */
  private void forget(ByteString key, InstanceKey of) {
    List<ByteString> all = keys.getOrDefault(of, List.of());
    all.remove(key);
    if (all.isEmpty()) {
      keys.remove(of);
      table.share(NODE, List.of(), List.of(of), now());
    } else {
      Instance other = known.get(all.getLast());
      table.share(NODE, other == null ? List.of() : List.of(other), List.of(), now());
    }
  }

  @Override
  public void onListed(boolean isOtherStore) {
    Map<ByteString, Instance> listed = incoming.orElseGet(Map::of);
    incoming = Optional.empty();
    for (ByteString key : List.copyOf(known.keySet())) {
      if (!listed.containsKey(key)) {
        if (isOtherStore) {
          doubted.add(key);
        } else {
          delete(key);
        }
      }
    }
    listed.forEach(this::put);
    if (isOtherStore) {
      var _ =
          control.eventLoop().schedule(this::onEndOfDoubt, ttl.toMillis(), TimeUnit.MILLISECONDS);
    }
    onRead.run();
  }

  /** Those that have not been put again within a TTL have no owner any more. */
  private void onEndOfDoubt() {
    if (problem.isEmpty()) {
      List.copyOf(doubted).forEach(this::delete);
    }
  }

  @Override
  public void onCurrent() {
    if (!problem.isEmpty()) {
      problem = "";
      log.write(Event.STORE_REACHED, "store", NODE);
    }
  }

  @Override
  public boolean isFull() {
    return incoming.map(Map::size).orElseGet(known::size) > instancesMax;
  }

  @Override
  public void onProblem(UpstreamProblem why) {
    if (!why.text().equals(problem)) {
      log.write(Event.STORE_FAILED, "store", NODE, "problem", why.text());
    }
    problem = why.text();
  }

  private long now() {
    return control.time().nowNs();
  }
}
