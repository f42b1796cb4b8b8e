package dev.waymark.upstreams.names;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.control.ControlLoop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The socket addresses of a pool's upstreams; names in a list are resolved for every attempt.
 * Confined to the control thread, except {@link #of}.
 */
public final class DialAddresses {
  /**
   * How names are resolved. Immutable.
   *
   * @param server the name server to ask, as in a target; empty: those in resolv.conf
   * @param areAbsolute whether the search domains of resolv.conf are not for them
   */
  public record Names(String server, boolean areAbsolute) {}

  /** Called for every name that cannot be resolved. */
  public interface Failures {
    void onUnresolved();
  }

  private final Failures failures;
  private final Map<String, UpstreamAddress> wanted = new HashMap<>();

  /** Read by any thread, written by the control thread. */
  private final Map<String, SocketAddress> known = new ConcurrentHashMap<>();

  private final ControlLoop control;
  private final ResolverFiles files;
  private final Supplier<Names> names;

  /**
   * Creates an empty set.
   *
   * @param names how to resolve names; asked each time
   */
  public DialAddresses(
      ControlLoop control, ResolverFiles files, Supplier<Names> names, Failures failures) {
    this.control = control;
    this.files = files;
    this.names = names;
    this.failures = failures;
  }

  /** Adds an upstream; if its address is a literal, {@link #of} returns it from now on. */
  public void add(String upstream) {
    UpstreamAddress address = parse(upstream);
    wanted.put(upstream, address);
    if (address instanceof UpstreamAddress.Literal(SocketAddress literal)) {
      known.put(upstream, literal);
    }
  }

  private static UpstreamAddress parse(String upstream) {
    try {
      return UpstreamAddress.parse(upstream);
    } catch (IllegalArgumentException refused) {
      return new UpstreamAddress.Refused(String.valueOf(refused.getMessage()));
    }
  }

  /** Forgets an upstream. */
  public void remove(String upstream) {
    wanted.remove(upstream);
    known.remove(upstream);
  }

  /**
   * Resolves an upstream's address and calls back once, perhaps before this returns; not at all if
   * the upstream has been removed.
   */
  public void find(
      String upstream, Consumer<SocketAddress> onFound, Consumer<UpstreamProblem> onFailed) {
    switch (wanted.get(upstream)) {
      case UpstreamAddress.Literal(SocketAddress literal) -> onFound.accept(literal);
      case UpstreamAddress.Name(String host, int port) -> {
        Names how = names.get();
        NameLookup.of(control, files, how.server())
            .resolve(
                how.areAbsolute() && !host.endsWith(".") ? host + "." : host,
                answer -> {
                  if (wanted.containsKey(upstream)) {
                    onAnswer(upstream, answer, port, onFound, onFailed);
                  }
                });
      }
      case UpstreamAddress.Zoned zoned -> findZoned(upstream, zoned, onFound, onFailed);
      case UpstreamAddress.Refused(String reason) ->
          onFailed.accept(new UpstreamProblem(Kind.CONNECT_FAILED, reason));
      case null -> {}
    }
  }

  /** Returns where to dial this upstream; empty until its name is resolved. Thread-safe. */
  public Optional<SocketAddress> of(String upstream) {
    return Optional.ofNullable(known.get(upstream));
  }

  /** Ends: no callback follows. */
  public void close() {
    wanted.clear();
  }

  private void onAnswer(
      String upstream,
      NameLookup.Answer answer,
      int port,
      Consumer<SocketAddress> onFound,
      Consumer<UpstreamProblem> onFailed) {
    Optional<InetAddress> first =
        Stream.concat(answer.ipv4().addresses().stream(), answer.ipv6().addresses().stream())
            .findFirst();
    if (first.isEmpty()) {
      failures.onUnresolved();
      onFailed.accept(answer.problem());
      return;
    }
    var found = new InetSocketAddress(first.get(), port);
    known.put(upstream, found);
    onFound.accept(found);
  }

  private void findZoned(
      String upstream,
      UpstreamAddress.Zoned zoned,
      Consumer<SocketAddress> onFound,
      Consumer<UpstreamProblem> onFailed) {
    try {
      InetSocketAddress found = zoned.resolve();
      known.put(upstream, found);
      onFound.accept(found);
    } catch (UnknownHostException noSuchInterface) {
      String reason = "no route: " + noSuchInterface.getMessage();
      onFailed.accept(new UpstreamProblem(Kind.NO_ROUTE, reason));
    }
  }
}
