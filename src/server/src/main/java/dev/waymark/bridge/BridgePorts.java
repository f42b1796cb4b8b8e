package dev.waymark.bridge;

import dev.waymark.config.ListenerConfig;
import dev.waymark.net.listener.Acceptor;
import dev.waymark.net.listener.ListenerCounters;
import dev.waymark.net.listener.ListenerEvents;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The listening ports of a bridge, and what is counted under the names of its listeners. Ports are
 * changed by one thread at a time, none of the loops; the rest is thread-safe.
 */
final class BridgePorts {
  /** A listener and the port that it is to have. */
  private record Place(ListenerConfig config, ListenerPort port, boolean isNew) {
    boolean isBlockedBy(ListenerPort other) {
      return isNew && other.isInTheWayOf(config.address());
    }
  }

  private interface Binding {
    void bind(ListenerPort port) throws IOException;
  }

  /** The ports of another configuration: bound, but not accepting. Immutable. */
  static final class Prepared {
    private final List<Place> places;
    private final List<ListenerPort> leaving;

    /** Of the leaving ones, those that are closed already, as they were in the way. */
    private final List<ListenerPort> closed;

    private final Map<ListenerPort, String> namesBefore;
    private final Map<String, ListenerConfig> configsBefore;

    private Prepared(
        List<Place> places,
        List<ListenerPort> leaving,
        List<ListenerPort> closed,
        Map<ListenerPort, String> namesBefore,
        Map<String, ListenerConfig> configsBefore) {
      this.places = places;
      this.leaving = leaving;
      this.closed = closed;
      this.namesBefore = namesBefore;
      this.configsBefore = configsBefore;
    }
  }

  private final ListenerPort.Sockets sockets;
  private final Acceptor acceptor;
  private final ListenerEvents events;
  private final EventLog log;
  private final Metrics metrics;
  private final List<ListenerPort> ports = new CopyOnWriteArrayList<>();
  private final Map<String, ListenerConfig> configs = new ConcurrentHashMap<>();
  private final Map<String, ListenerCounters> counters = new ConcurrentHashMap<>();

  BridgePorts(
      ListenerPort.Sockets sockets,
      Acceptor acceptor,
      ListenerEvents events,
      EventLog log,
      Metrics metrics) {
    this.sockets = sockets;
    this.acceptor = acceptor;
    this.events = events;
    this.log = log;
    this.metrics = metrics;
  }

  /**
   * Binds what these listeners need and is not there; a listener that keeps its address keeps its
   * port, whatever its name. A port that nobody wants any more and that is in the way of a new one,
   * as 127.0.0.1:7000 is in the way of 0.0.0.0:7000, is closed for it; all others accept as before.
   * To be followed by {@link #switchTo}, or {@link #undo}. Blocks.
   *
   * @throws StartException naming the listener and its address; nothing has changed then
   */
  Prepared prepare(List<ListenerConfig> listeners) {
    List<ListenerPort> free = new ArrayList<>(ports);
    List<Place> places = new ArrayList<>();
    for (ListenerConfig config : listeners) {
      Optional<ListenerPort> known = free.stream().filter(port -> port.isFor(config)).findFirst();
      known.ifPresent(free::remove);
      places.add(new Place(config, known.orElseGet(() -> newPort(config)), known.isEmpty()));
    }
    List<ListenerPort> blocking =
        free.stream().filter(port -> places.stream().anyMatch(p -> p.isBlockedBy(port))).toList();
    bindAll(places, blocking);
    Map<ListenerPort, String> names =
        ports.stream().collect(Collectors.toMap(port -> port, ListenerPort::listener));
    return new Prepared(places, free, blocking, names, Map.copyOf(configs));
  }

  /** What can be refused without closing a port is bound first. */
  private static void bindAll(List<Place> places, List<ListenerPort> blocking) {
    List<Place> blocked =
        places.stream().filter(place -> blocking.stream().anyMatch(place::isBlockedBy)).toList();
    List<Place> others = places.stream().filter(place -> !blocked.contains(place)).toList();
    List<ListenerPort> closed = new ArrayList<>();
    try {
      others.forEach(place -> bind(place, ListenerPort::bind));
      for (ListenerPort port : blocking) {
        closed.add(port);
        port.close();
      }
      blocked.forEach(place -> bind(place, ListenerPort::bindInPlaceOfAnother));
    } catch (RuntimeException failure) {
      places.stream().filter(Place::isNew).map(Place::port).forEach(ListenerPort::close);
      reopen(closed, failure);
      throw failure;
    }
  }

  /**
   * Binds ports that had been closed for others, and accepts.
   *
   * @param cause why; it is kept with the failure where one of them cannot be had any more
   */
  private static void reopen(List<ListenerPort> closed, @Nullable RuntimeException cause) {
    for (ListenerPort port : closed) {
      try {
        port.bindInPlaceOfAnother();
        port.accept();
      } catch (IOException lost) {
        IllegalStateException failure =
            new IllegalStateException(
                String.format(
                    Locale.ROOT,
                    "listener %s has lost %s: %s",
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

  private static void bind(Place place, Binding how) {
    try {
      if (place.isNew) {
        how.bind(place.port);
      }
    } catch (IOException failure) {
      throw StartException.listener(place.config, failure);
    }
  }

  private ListenerPort newPort(ListenerConfig config) {
    return new ListenerPort(config, countersOf(config.name()), sockets, acceptor, events);
  }

  private ListenerCounters countersOf(String listener) {
    return counters.computeIfAbsent(listener, _ -> new ListenerCounters());
  }

  /**
   * Accepts on the ports that were prepared. Those that nobody wants any more accept until {@link
   * #closeLeaving}, until when there is {@link #undo}. Blocks.
   */
  void switchTo(Prepared prepared) {
    use(prepared.places.stream().map(Place::config).toList());
    for (Place place : prepared.places) {
      if (place.isNew) {
        ports.add(place.port);
        place.port.accept();
        logOpen(place.port);
      } else {
        giveTo(place.config.name(), place.port);
      }
    }
  }

  /** Closes the ports that nobody wants any more. Blocks. */
  void closeLeaving(Prepared prepared) {
    ports.removeAll(prepared.leaving);
    prepared.leaving.forEach(this::close);
  }

  /** As if nothing had been prepared; connections that were accepted meanwhile go on. Blocks. */
  void undo(Prepared prepared) {
    for (Place place : prepared.places) {
      if (ports.contains(place.port) && place.isNew) {
        close(place.port);
        ports.remove(place.port);
      } else if (place.isNew) {
        place.port.close();
      }
    }
    reopen(prepared.closed, null);
    prepared.namesBefore.forEach((port, name) -> giveTo(name, port));
    use(prepared.configsBefore.values());
  }

  private void giveTo(String listener, ListenerPort port) {
    String before = port.listener();
    port.use(listener, countersOf(listener));
    if (!before.equals(listener)) {
      log.write(Event.LISTENER_CLOSED, "listener", before);
      logOpen(port);
    }
  }

  private void use(Collection<ListenerConfig> listeners) {
    configs.clear();
    for (ListenerConfig config : listeners) {
      configs.put(config.name(), config);
      BridgeMetrics.registerListener(metrics, config, countersOf(config.name()));
    }
  }

  private void logOpen(ListenerPort port) {
    String address = ListenerPort.text(port.address());
    log.write(Event.LISTENER_OPEN, "listener", port.listener(), "address", address);
  }

  private void close(ListenerPort port) {
    port.close();
    log.write(Event.LISTENER_CLOSED, "listener", port.listener());
  }

  /** Stops accepting; connections go on. Blocks. */
  void close() {
    ports.forEach(this::close);
    ports.clear();
  }

  /** Names of listeners that are gone, and whose last connection is: they are forgotten. */
  Set<String> takeEnded() {
    Set<String> ended = new HashSet<>();
    counters.forEach((name, own) -> {
      if (!configs.containsKey(name) && own.open() == 0) {
        ended.add(name);
      }
    });
    for (String name : ended) {
      counters.remove(name);
      BridgeMetrics.unregisterListener(metrics, name);
    }
    return ended;
  }

  /** A shard is over the memory budget. Any thread. */
  void pauseForMemory() {
    sockets.memory().enter();
    ports.forEach(ListenerPort::settleMemory);
  }

  /** The counterpart of {@link #pauseForMemory}. Any thread. */
  void resumeForMemory() {
    sockets.memory().leave();
    ports.forEach(ListenerPort::settleMemory);
  }

  /** Those that are open, at first in the order of the configuration. */
  List<ListenerPort> all() {
    return List.copyOf(ports);
  }
}
