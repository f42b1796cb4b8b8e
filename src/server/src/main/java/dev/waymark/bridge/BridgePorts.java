package dev.waymark.bridge;

import dev.waymark.config.ListenerConfig;
import dev.waymark.net.admission.Admission;
import dev.waymark.net.admission.AdmissionLimits;
import dev.waymark.net.listener.Acceptor;
import dev.waymark.net.listener.ListenerCounters;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.net.tls.TlsFileException;
import dev.waymark.net.tls.TlsWatch;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The listening ports of a bridge, and the counters of its listeners by name. Only one thread at a
 * time may change ports, and not an event loop; everything else is thread-safe.
 */
final class BridgePorts {
  /**
   * A listener and the port that it will have.
   *
   * @param tls null if it does not speak TLS
   */
  private record Assignment(
      ListenerConfig config, ListenerPort port, boolean isNew, @Nullable ServerTls tls) {
    boolean isBlockedBy(ListenerPort other) {
      return isNew && other.conflictsWith(config.address());
    }
  }

  private interface Binding {
    void bind(ListenerPort port) throws IOException;
  }

  /** The ports of a new configuration: bound, but not accepting yet. Immutable. */
  static final class Prepared {
    private final List<Assignment> assignments;
    private final List<ListenerPort> obsolete;

    /** Obsolete ports that are already closed because they blocked a new one. */
    private final List<ListenerPort> closed;

    private final Map<ListenerPort, String> namesBefore;
    private final Map<String, ListenerConfig> configsBefore;
    private final Map<String, ServerTls> tlsBefore;

    private Prepared(
        List<Assignment> assignments,
        List<ListenerPort> obsolete,
        List<ListenerPort> closed,
        Map<ListenerPort, String> namesBefore,
        Map<String, ListenerConfig> configsBefore,
        Map<String, ServerTls> tlsBefore) {
      this.assignments = assignments;
      this.obsolete = obsolete;
      this.closed = closed;
      this.namesBefore = namesBefore;
      this.configsBefore = configsBefore;
      this.tlsBefore = tlsBefore;
    }
  }

  private final ListenerPort.Sockets sockets;
  private final Acceptor acceptor;
  private final BridgeEvents events;
  private final EventLog log;
  private final Metrics metrics;
  private final List<ListenerPort> ports = new CopyOnWriteArrayList<>();
  private final Map<String, ListenerConfig> configs = new ConcurrentHashMap<>();
  private final Map<String, ListenerCounters> counters = new ConcurrentHashMap<>();
  private final Map<String, Admission> admissions = new ConcurrentHashMap<>();
  private final Map<String, ServerTls> tls = new ConcurrentHashMap<>();
  private final TlsWatch tlsWatch;

  BridgePorts(
      ListenerPort.Sockets sockets,
      Acceptor acceptor,
      BridgeEvents events,
      EventLog log,
      Metrics metrics,
      TlsWatch tlsWatch) {
    this.sockets = sockets;
    this.acceptor = acceptor;
    this.events = events;
    this.log = log;
    this.metrics = metrics;
    this.tlsWatch = tlsWatch;
  }

  /**
   * Binds the ports that these listeners need and do not have yet. A listener that keeps its
   * address keeps its port, even if it is renamed. An obsolete port that blocks a new one, as
   * 127.0.0.1:7000 blocks 0.0.0.0:7000, is closed; all others keep accepting. Must be followed by
   * {@link #switchTo} or {@link #undo}. Blocks.
   *
   * @throws StartException naming the listener, and its address or the file for TLS; nothing has
   *     changed then
   */
  Prepared prepare(List<ListenerConfig> listeners) {
    List<ListenerPort> free = new ArrayList<>(ports);
    List<Assignment> assignments = new ArrayList<>();
    try {
      for (ListenerConfig config : listeners) {
        Optional<ListenerPort> known = free.stream().filter(port -> port.isFor(config)).findFirst();
        known.ifPresent(free::remove);
        @Nullable ServerTls own = tlsFor(config, known);
        ListenerPort port = known.orElseGet(() -> newPort(config, own));
        assignments.add(new Assignment(config, port, known.isEmpty(), own));
      }
      return prepare(assignments, free);
    } catch (RuntimeException failure) {
      assignments.forEach(assignment -> closeIfUnused(assignment.tls));
      throw failure;
    }
  }

  private @Nullable ServerTls tlsFor(ListenerConfig config, Optional<ListenerPort> port) {
    if (!config.isTls()) {
      return null;
    }
    String nameBefore = port.map(ListenerPort::listener).orElse(config.name());
    ServerTls known = tls.get(nameBefore);
    if (known != null && known.isFor(config.tls())) {
      return known;
    }
    try {
      return ServerTls.open(config.tls(), known, Clock::now, events);
    } catch (TlsFileException unusable) {
      throw StartException.tls(config, unusable.problem());
    }
  }

  /** Closes the TLS of a configuration that is not in force. */
  private void closeIfUnused(@Nullable ServerTls one) {
    if (one != null && !tls.containsValue(one)) {
      one.close();
    }
  }

  private Prepared prepare(List<Assignment> assignments, List<ListenerPort> free) {
    List<ListenerPort> blocking =
        free.stream()
            .filter(port -> assignments.stream().anyMatch(one -> one.isBlockedBy(port)))
            .toList();
    bindAll(assignments, blocking);
    Map<ListenerPort, String> names =
        ports.stream().collect(Collectors.toMap(port -> port, ListenerPort::listener));
    return new Prepared(assignments, free, blocking, names, Map.copyOf(configs), Map.copyOf(tls));
  }

  /** Binds first the ports that need no other to be closed, as binding may fail. */
  private static void bindAll(List<Assignment> assignments, List<ListenerPort> blocking) {
    List<Assignment> blocked =
        assignments.stream().filter(one -> blocking.stream().anyMatch(one::isBlockedBy)).toList();
    List<Assignment> others = assignments.stream().filter(one -> !blocked.contains(one)).toList();
    List<ListenerPort> closed = new ArrayList<>();
    try {
      others.forEach(assignment -> bind(assignment, ListenerPort::bind));
      for (ListenerPort port : blocking) {
        closed.add(port);
        port.close();
      }
      blocked.forEach(assignment -> bind(assignment, ListenerPort::bindWithRetry));
    } catch (RuntimeException failure) {
      assignments.stream()
          .filter(Assignment::isNew)
          .map(Assignment::port)
          .forEach(ListenerPort::close);
      reopen(closed, failure);
      throw failure;
    }
  }

  /**
   * Binds ports again that had been closed in favour of others, and accepts.
   *
   * @param cause the failure that makes this necessary; added to the exception as suppressed if a
   *     port cannot be bound again
   */
  private static void reopen(List<ListenerPort> closed, @Nullable RuntimeException cause) {
    for (ListenerPort port : closed) {
      try {
        port.bindWithRetry();
        port.accept();
      } catch (IOException lost) {
        IllegalStateException failure =
            new IllegalStateException(
                String.format(
                    Locale.ROOT,
                    "listener %s cannot reopen %s: %s",
                    port.listener(),
                    ListenerPort.text(port.address()),
                    lost.getMessage()),
                lost);
        if (cause != null) {
          failure.addSuppressed(cause);
        }
        throw failure;
      }
    }
  }

  private static void bind(Assignment assignment, Binding how) {
    try {
      if (assignment.isNew) {
        how.bind(assignment.port);
      }
    } catch (IOException failure) {
      throw StartException.listener(assignment.config, failure);
    }
  }

  private ListenerPort newPort(ListenerConfig config, @Nullable ServerTls own) {
    String name = config.name();
    return new ListenerPort(
        config, countersOf(name), admissionOf(name), own, sockets, acceptor, events);
  }

  private ListenerCounters countersOf(String listener) {
    return counters.computeIfAbsent(listener, _ -> new ListenerCounters());
  }

  /** A new one has no limits yet: {@link #setListeners} sets them. */
  private Admission admissionOf(String listener) {
    return admissions.computeIfAbsent(
        listener, _ -> new Admission(AdmissionLimits.NONE, sockets.clockNs().getAsLong()));
  }

  /**
   * Accepts on the prepared ports. Obsolete ports keep accepting until {@link #closeObsolete};
   * until then, {@link #undo} is possible. Blocks.
   */
  void switchTo(Prepared prepared) {
    Map<String, ServerTls> next = new HashMap<>();
    for (Assignment assignment : prepared.assignments) {
      if (assignment.tls != null) {
        next.put(assignment.config.name(), assignment.tls);
      }
    }
    setListeners(prepared.assignments.stream().map(Assignment::config).toList(), next);
    for (Assignment assignment : prepared.assignments) {
      if (assignment.isNew) {
        ports.add(assignment.port);
        assignment.port.accept();
        logOpen(assignment.port);
      } else {
        assign(assignment.config.name(), assignment.port);
      }
    }
  }

  /** Closes the ports that the new configuration no longer has. Blocks. */
  void closeObsolete(Prepared prepared) {
    ports.removeAll(prepared.obsolete);
    prepared.obsolete.forEach(this::close);
    prepared.tlsBefore.values().stream()
        .filter(one -> !tls.containsValue(one))
        .forEach(tlsWatch::remove);
  }

  /** Restores the former ports and listeners; connections accepted meanwhile continue. Blocks. */
  void undo(Prepared prepared) {
    for (Assignment assignment : prepared.assignments) {
      if (ports.contains(assignment.port) && assignment.isNew) {
        close(assignment.port);
        ports.remove(assignment.port);
      } else if (assignment.isNew) {
        assignment.port.close();
      }
    }
    reopen(prepared.closed, null);
    List<ServerTls> replaced = List.copyOf(tls.values());
    setListeners(prepared.configsBefore.values(), prepared.tlsBefore);
    prepared.namesBefore.forEach((port, name) -> assign(name, port));
    Stream.concat(
            replaced.stream(),
            prepared.assignments.stream().map(Assignment::tls).filter(Objects::nonNull))
        .filter(one -> !tls.containsValue(one))
        .distinct()
        .forEach(tlsWatch::remove);
  }

  private void assign(String listener, ListenerPort port) {
    String before = port.listener();
    port.use(listener, countersOf(listener), admissionOf(listener), tls.get(listener));
    if (!before.equals(listener)) {
      log.write(Event.LISTENER_CLOSED, "listener", before);
      logOpen(port);
    }
  }

  private void setListeners(Collection<ListenerConfig> listeners, Map<String, ServerTls> itsTls) {
    tls.keySet().retainAll(itsTls.keySet());
    tls.putAll(itsTls);
    configs.clear();
    for (ListenerConfig config : listeners) {
      String name = config.name();
      configs.put(name, config);
      Admission admission = admissionOf(name);
      admission.limits(config.admission());
      BridgeMetrics.registerListener(metrics, config, countersOf(name), admission);
      ServerTls own = tls.get(name);
      if (own == null) {
        events.unregisterTls("listener", name);
      } else {
        tlsWatch.add(own);
        events.registerTls("listener", name, own.certificates());
      }
    }
  }

  private void logOpen(ListenerPort port) {
    String address = ListenerPort.text(port.address());
    ServerTls own = tls.get(port.listener());
    log.write(
        Event.LISTENER_OPEN,
        "listener",
        port.listener(),
        "address",
        address,
        "tls",
        own == null ? "off" : own.engine());
  }

  private void close(ListenerPort port) {
    port.close();
    log.write(Event.LISTENER_CLOSED, "listener", port.listener());
  }

  /** Stops accepting; existing connections continue. Blocks. */
  void close() {
    ports.forEach(this::close);
    ports.clear();
  }

  /** Whether any client is connected, also one whose connection has not begun yet. */
  boolean hasClients() {
    return counters.values().stream().anyMatch(each -> each.open() > 0);
  }

  /** Forgets removed listeners whose last connection has ended, and returns their names. */
  Set<String> removeEnded() {
    Set<String> ended = new HashSet<>();
    counters.forEach((name, own) -> {
      if (!configs.containsKey(name) && own.open() == 0) {
        ended.add(name);
      }
    });
    for (String name : ended) {
      counters.remove(name);
      admissions.remove(name);
      BridgeMetrics.unregisterListener(metrics, name);
      events.unregisterTls("listener", name);
    }
    return ended;
  }

  /** Pauses accepting because a shard found the process over its memory budget. Any thread. */
  void pauseForMemory() {
    sockets.memory().enter();
    ports.forEach(ListenerPort::applyMemoryPause);
  }

  /** The counterpart of {@link #pauseForMemory}. Any thread. */
  void resumeForMemory() {
    sockets.memory().leave();
    ports.forEach(ListenerPort::applyMemoryPause);
  }

  /** The open ports, after a start in the order of the configuration. */
  List<ListenerPort> all() {
    return List.copyOf(ports);
  }
}
