package dev.waymark.tools.directory;

import dev.waymark.registry.wire.BadInstanceException;
import dev.waymark.registry.wire.InstanceReader;
import dev.waymark.v1.WatchRequest;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/** The calls of those who watch. Confined to the directory's loop. */
final class Watchers {
  private static final int SERVICES_MAX = 1_000;
  private static final int NAME_CHARS_MAX = 253;

  /**
   * A watcher, for people. Immutable.
   *
   * @param services that it watches; empty: all
   * @param version that it was sent
   * @param behind how many changes it has not been sent yet
   */
  record View(
      String watcher,
      String peer,
      String as,
      List<String> services,
      long version,
      long behind,
      long sinceNs) {}

  private final WatchFeed feed;
  private final ServerFacts facts;
  private final DirectoryCounters counters;
  private final int watchersMax;
  private final LongSupplier version;
  private final LongSupplier nowNs;
  private final Set<Watcher> watchers = new LinkedHashSet<>();

  /**
   * @param version of the table
   */
  Watchers(
      WatchFeed feed,
      ServerFacts facts,
      DirectoryCounters counters,
      int watchersMax,
      LongSupplier version,
      LongSupplier nowNs) {
    this.feed = feed;
    this.facts = facts;
    this.counters = counters;
    this.watchersMax = watchersMax;
    this.version = version;
    this.nowNs = nowNs;
  }

  /** Somebody begins to watch. */
  void open(WatchRequest request, ServerCallStreamObserver<byte[]> responses) {
    try {
      Watcher watcher = watcher(request, responses);
      watchers.add(watcher);
      responses.setOnCancelHandler(() -> watchers.remove(watcher));
      responses.setOnReadyHandler(watcher::send);
      watcher.send();
    } catch (StatusException refused) {
      responses.onError(refused);
    }
  }

  private Watcher watcher(WatchRequest request, ServerCallStreamObserver<byte[]> responses)
      throws StatusException {
    if (!Caller.current().mayRead()) {
      throw RegistryService.denied();
    }
    if (watchers.size() >= watchersMax) {
      throw Status.RESOURCE_EXHAUSTED
          .withDescription("the directory has " + watchersMax + " watchers, its maximum")
          .asException();
    }
    if (request.getServicesCount() > SERVICES_MAX) {
      throw Status.INVALID_ARGUMENT
          .withDescription(
              "services: "
                  + request.getServicesCount()
                  + " (expected: at most "
                  + SERVICES_MAX
                  + "; none for all)")
          .asException();
    }
    Set<String> services = new LinkedHashSet<>();
    try {
      for (String name : request.getServicesList()) {
        services.add(InstanceReader.service(name));
      }
    } catch (BadInstanceException bad) {
      throw Status.INVALID_ARGUMENT.withDescription(bad.reason()).asException();
    }
    long from = request.getEpoch() == facts.epoch() ? request.getVersion() : 0;
    WatchFeed.Reader reader =
        services.isEmpty() ? feed.new All(from) : feed.new Some(services, from);
    return new Watcher(printable(request.getWatcher()), services, reader, responses);
  }

  private static String printable(String name) {
    String start = name.length() <= NAME_CHARS_MAX ? name : name.substring(0, NAME_CHARS_MAX);
    return start.replaceAll("\\p{C}", "?");
  }

  /** Sends what has changed, and heartbeats. To be called many times a second. */
  void flush() {
    long now = nowNs.getAsLong();
    for (Watcher watcher : List.copyOf(watchers)) {
      watcher.send();
      watcher.sendHeartbeatIfDue(now);
    }
  }

  int count() {
    return watchers.size();
  }

  List<View> views() {
    List<View> views = new ArrayList<>();
    watchers.forEach(watcher -> views.add(watcher.view()));
    return views;
  }

  /** One call. */
  private final class Watcher {
    private final String name;
    private final Set<String> services;
    private final WatchFeed.Reader reader;
    private final ServerCallStreamObserver<byte[]> responses;
    private final Caller caller = Caller.current();
    private final long sinceNs = nowNs.getAsLong();
    private long sentNs = sinceNs;

    Watcher(
        String name,
        Set<String> services,
        WatchFeed.Reader reader,
        ServerCallStreamObserver<byte[]> responses) {
      this.name = name;
      this.services = services;
      this.reader = reader;
      this.responses = responses;
    }

    void send() {
      long now = nowNs.getAsLong();
      while (responses.isReady()) {
        Optional<byte[]> message = reader.next(now);
        if (message.isEmpty()) {
          return;
        }
        send(message.get(), now);
      }
    }

    void sendHeartbeatIfDue(long now) {
      if (now - sentNs >= facts.heartbeatNs() && responses.isReady()) {
        send(feed.heartbeat(reader.version(), now), now);
      }
    }

    private void send(byte[] message, long now) {
      sentNs = now;
      counters.watchMessages.increment();
      counters.watchBytes.add(message.length);
      responses.onNext(message);
    }

    View view() {
      return new View(
          name,
          caller.peer(),
          caller.name(),
          List.copyOf(services),
          reader.version(),
          version.getAsLong() - reader.version(),
          sinceNs);
    }
  }
}
