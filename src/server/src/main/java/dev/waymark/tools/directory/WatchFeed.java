package dev.waymark.tools.directory;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.table.ChangeLog;
import dev.waymark.registry.table.ChangeLog.Change;
import dev.waymark.registry.table.ChangeLog.Kind;
import dev.waymark.registry.table.Table;
import dev.waymark.registry.wire.InstanceWriter;
import dev.waymark.v1.Removed;
import dev.waymark.v1.WatchResponse;
import dev.waymark.v1.WatchedInstance;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What watchers are sent: the whole table in parts, then changes. Each part and each run of changes
 * is encoded once for all watchers that are at the same version. A watcher asks for the next
 * message when it has room for it, so a slow one costs no memory: it gets the latest state of what
 * has changed meanwhile, or the whole table again if the log of changes does not reach back so far.
 *
 * <p>The parts of a table are made while they are sent, and may be newer than the version at which
 * the table began. That does no harm: the changes since that version follow, and a change says how
 * an instance is, not how it differs. Confined to the directory's loop.
 */
final class WatchFeed {
  /** A message holds about this many instances: some 64 KiB. */
  private static final int INSTANCES_PER_MESSAGE = 500;

  /** A table begun longer ago is begun anew for the next watcher. */
  private static final long TABLE_AGE_NS_MAX = 5_000_000_000L;

  /** A message, and the version that the watcher has with it. */
  record Message(byte[] bytes, long version) {}

  /** The whole table, as far as it has been encoded. */
  private static final class WholeTable {
    final long version;
    final long beganNs;
    final List<byte[]> parts = new ArrayList<>();
    String lastService = "";
    boolean isComplete;

    WholeTable(long version, long beganNs) {
      this.version = version;
      this.beganNs = beganNs;
    }
  }

  private final Table table;
  private final ServerFacts facts;
  private Optional<WholeTable> whole = Optional.empty();

  /** Since the last change of the table; by the version at which they begin. */
  private final Map<Long, Message> runs = new HashMap<>();

  private long runsVersion;

  /** Instances that their nodes have de-registered while the directory was young. */
  private final Map<InstanceKey, Kind> deregistered = new LinkedHashMap<>();

  private long deregisteredVersion;

  WatchFeed(Table table, ServerFacts facts) {
    this.table = table;
    this.facts = facts;
    this.deregisteredVersion = table.log().version();
  }

  /** A reader of everything. */
  final class All implements Reader {
    private Optional<WholeTable> reading = Optional.empty();
    private int nextPart;
    private long version;

    /**
     * @param from the version that the watcher has; 0: none
     */
    All(long from) {
      this.version = from;
    }

    @Override
    public long version() {
      return version;
    }

    @Override
    public Optional<byte[]> next(long nowNs) {
      if (reading.isPresent()) {
        return Optional.of(nextPart(reading.get(), nowNs));
      }
      if (!table.log().reaches(version)) {
        WholeTable begun = wholeTable(nowNs);
        reading = Optional.of(begun);
        nextPart = 0;
        return Optional.of(nextPart(begun, nowNs));
      }
      if (version == table.log().version()) {
        return Optional.empty();
      }
      Message message = run(version, nowNs);
      version = message.version();
      return Optional.of(message.bytes());
    }

    private byte[] nextPart(WholeTable from, long nowNs) {
      if (nextPart == from.parts.size()) {
        from.parts.add(encodePart(from, nowNs));
      }
      byte[] part = from.parts.get(nextPart++);
      if (from.isComplete && nextPart == from.parts.size()) {
        reading = Optional.empty();
        version = from.version;
      }
      return part;
    }
  }

  /** A reader of some services. */
  final class Some implements Reader {
    private final Set<String> services;
    private Iterator<String> rest = Collections.emptyIterator();
    private boolean isWhole;
    private long wholeVersion;
    private long version;

    Some(Set<String> services, long from) {
      this.services = services;
      this.version = from;
    }

    @Override
    public long version() {
      return version;
    }

    @Override
    public Optional<byte[]> next(long nowNs) {
      if (!isWhole && !table.log().reaches(version)) {
        isWhole = true;
        rest = services.iterator();
        wholeVersion = table.log().version();
        return Optional.of(nextPart(true, nowNs));
      }
      if (isWhole) {
        return Optional.of(nextPart(false, nowNs));
      }
      return changes(nowNs);
    }

    private byte[] nextPart(boolean isFirst, long nowNs) {
      WatchResponse.Builder message = facts.response(nowNs).setReset(isFirst);
      while (rest.hasNext() && message.getPutCount() < INSTANCES_PER_MESSAGE) {
        addService(message, rest.next());
      }
      if (!rest.hasNext()) {
        deregistered(nowNs)
            .forEach((key, kind) -> {
              if (services.contains(key.service())) {
                addRemoved(message, key, kind);
              }
            });
        isWhole = false;
        version = wholeVersion;
      }
      return WatchMethod.encode(message.setMore(isWhole).setVersion(wholeVersion));
    }

    private Optional<byte[]> changes(long nowNs) {
      Map<InstanceKey, Kind> changed = new LinkedHashMap<>();
      ChangeLog log = table.log();
      while (version < log.version() && changed.size() < INSTANCES_PER_MESSAGE) {
        Change change = log.after(version++);
        if (services.contains(change.key().service())) {
          changed.put(change.key(), change.kind());
        }
      }
      if (changed.isEmpty()) {
        return Optional.empty();
      }
      WatchResponse.Builder message = facts.response(nowNs).setVersion(version);
      changed.forEach((key, kind) -> addChange(message, key, kind));
      return Optional.of(WatchMethod.encode(message));
    }
  }

  /** Where one watcher is. */
  interface Reader {
    /** The version that the watcher has. */
    long version();

    /** The next message for it; empty if there is nothing new. */
    Optional<byte[]> next(long nowNs);
  }

  /** A message without a change, for watchers at this version. */
  byte[] heartbeat(long version, long nowNs) {
    return WatchMethod.encode(facts.response(nowNs).setVersion(version));
  }

  private WholeTable wholeTable(long nowNs) {
    WholeTable known = whole.orElse(null);
    if (known == null
        || nowNs - known.beganNs > TABLE_AGE_NS_MAX
        || !table.log().reaches(known.version)) {
      known = new WholeTable(table.log().version(), nowNs);
      whole = Optional.of(known);
    }
    return known;
  }

  /** Gives up the memory of a table that no new watcher will be sent. */
  void tick(long nowNs) {
    if (whole.isPresent() && nowNs - whole.get().beganNs > TABLE_AGE_NS_MAX) {
      whole = Optional.empty();
    }
    var _ = deregistered(nowNs);
  }

  private byte[] encodePart(WholeTable from, long nowNs) {
    WatchResponse.Builder message = facts.response(nowNs).setReset(from.parts.isEmpty());
    Optional<String> service = table.serviceAfter(from.lastService);
    while (service.isPresent() && message.getPutCount() < INSTANCES_PER_MESSAGE) {
      addService(message, service.get());
      from.lastService = service.get();
      service = table.serviceAfter(from.lastService);
    }
    from.isComplete = service.isEmpty();
    if (from.isComplete) {
      deregistered(nowNs).forEach((key, kind) -> addRemoved(message, key, kind));
    }
    return WatchMethod.encode(message.setMore(!from.isComplete).setVersion(from.version));
  }

  private Message run(long from, long nowNs) {
    if (runsVersion != table.log().version()) {
      runs.clear();
      runsVersion = table.log().version();
    }
    return runs.computeIfAbsent(from, _ -> encodeRun(from, nowNs));
  }

  private Message encodeRun(long from, long nowNs) {
    Map<InstanceKey, Kind> changed = new LinkedHashMap<>();
    long to = from;
    while (to < table.log().version() && changed.size() < INSTANCES_PER_MESSAGE) {
      Change change = table.log().after(to++);
      changed.put(change.key(), change.kind());
    }
    WatchResponse.Builder message = facts.response(nowNs).setVersion(to);
    changed.forEach((key, kind) -> addChange(message, key, kind));
    return new Message(WatchMethod.encode(message), to);
  }

  private void addService(WatchResponse.Builder message, String service) {
    for (Catalog.Entry entry : table.instances(service)) {
      addPut(message, entry);
    }
  }

  /** The latest state counts, whatever the change was. */
  private void addChange(WatchResponse.Builder message, InstanceKey key, Kind kind) {
    Optional<Catalog.Entry> entry = table.instance(key);
    if (entry.isPresent()) {
      addPut(message, entry.get());
    } else {
      addRemoved(message, key, kind);
    }
  }

  private void addPut(WatchResponse.Builder message, Catalog.Entry entry) {
    message.addPut(
        WatchedInstance.newBuilder()
            .setInstance(InstanceWriter.write(entry.instance()))
            .setNode(table.nodesOf(entry.instance().key()).getLast())
            .setIsDamped(entry.isDamped()));
  }

  private static void addRemoved(WatchResponse.Builder message, InstanceKey key, Kind kind) {
    message.addRemoved(
        Removed.newBuilder()
            .setService(key.service())
            .setAddress(key.address())
            .setCause(
                switch (kind) {
                  case DEREGISTERED -> Removed.Cause.DEREGISTERED;
                  case EXPIRED -> Removed.Cause.EXPIRED;
                  // Removed by a later change, which follows.
                  case PUT -> Removed.Cause.CAUSE_UNSPECIFIED;
                }));
  }

  /**
   * What has been de-registered since the start, while watchers do not believe that what is missing
   * is gone.
   */
  private Map<InstanceKey, Kind> deregistered(long nowNs) {
    ChangeLog log = table.log();
    if (facts.isSettled(nowNs)) {
      deregistered.clear();
      deregisteredVersion = log.version();
      return deregistered;
    }
    if (!log.reaches(deregisteredVersion)) {
      deregisteredVersion = log.version();
    }
    while (deregisteredVersion < log.version()) {
      Change change = log.after(deregisteredVersion++);
      if (change.kind() == Kind.PUT) {
        deregistered.remove(change.key());
      } else {
        deregistered.put(change.key(), change.kind());
      }
    }
    return deregistered;
  }
}
