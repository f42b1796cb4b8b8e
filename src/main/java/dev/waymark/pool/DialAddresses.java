package dev.waymark.pool;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where the upstreams of a pool are dialled; names of a list are looked up each time. Confined to
 * the control thread, but for {@link #of}.
 */
final class DialAddresses {
  /** Hears of every name that could not be resolved. */
  interface Failures {
    void onNotResolved(String host, String reason);
  }

  private final ControlLoop control;
  private final Failures failures;
  private final Map<String, UpstreamAddress> wanted = new HashMap<>();

  /** Read by any thread, written by the control thread. */
  private final Map<String, SocketAddress> known = new ConcurrentHashMap<>();

  private @Nullable NameLookup systemLookup;

  DialAddresses(ControlLoop control, Failures failures) {
    this.control = control;
    this.failures = failures;
  }

  /** An upstream that is there now; a literal address is known at once. */
  void add(String upstream) {
    UpstreamAddress address = UpstreamAddress.parse(upstream);
    wanted.put(upstream, address);
    if (address instanceof UpstreamAddress.Literal(SocketAddress literal)) {
      known.put(upstream, literal);
    }
  }

  void remove(String upstream) {
    wanted.remove(upstream);
    known.remove(upstream);
  }

  /** Looks it up and calls back once, perhaps before this returns; not at all when it is gone. */
  void find(String upstream, Consumer<SocketAddress> onFound, Consumer<String> onFailed) {
    switch (wanted.get(upstream)) {
      case UpstreamAddress.Literal(SocketAddress literal) -> onFound.accept(literal);
      case UpstreamAddress.Name(String host, int port) ->
          systemLookup()
              .ask(
                  host,
                  answer -> {
                    if (wanted.containsKey(upstream)) {
                      onAnswer(upstream, answer, host, port, onFound, onFailed);
                    }
                  });
      case null -> {}
    }
  }

  /** Where to dial this upstream; empty as long as its name is not resolved. Thread-safe. */
  Optional<SocketAddress> of(String upstream) {
    return Optional.ofNullable(known.get(upstream));
  }

  void close() {
    wanted.clear();
    if (systemLookup != null) {
      systemLookup.close();
    }
  }

  private void onAnswer(
      String upstream,
      NameLookup.Answer answer,
      String host,
      int port,
      Consumer<SocketAddress> onFound,
      Consumer<String> onFailed) {
    Optional<InetAddress> first =
        Stream.concat(answer.ipv4().addresses().stream(), answer.ipv6().addresses().stream())
            .findFirst();
    if (first.isEmpty()) {
      failures.onNotResolved(host, answer.reason());
      onFailed.accept("the name is not resolved: " + answer.reason());
      return;
    }
    var found = new InetSocketAddress(first.get(), port);
    known.put(upstream, found);
    onFound.accept(found);
  }

  private NameLookup systemLookup() {
    if (systemLookup == null) {
      systemLookup = NameLookup.ofSystem(control);
    }
    return systemLookup;
  }
}
