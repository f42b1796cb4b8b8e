package dev.waymark.net.lane;

import io.netty.channel.EventLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Measures what it costs to spread a thousand requests of 64 B over more and more upstreams:
 * streams share the requests evenly, each with its share in flight as one message, as after one
 * turn of a bridge. For comparison, the same bytes over plain sockets.
 */
final class BareStreams {
  private static final List<Integer> STREAMS = List.of(2, 20, 200);
  private static final int REQUESTS = 1_000;

  /** A frame with 64 B of payload. */
  private static final int REQUEST_BYTES = 75;

  /** Odd, for the median. Does not count the warm-up round before. */
  private static final int ROUNDS = 5;

  private static final long SETTLE_MS = 2_000;
  private static final long MEASURED_MS = 3_000;

  private BareStreams() {}

  private interface Opener {
    BareFlow open(int connections, int bytes);
  }

  private record Case(String what, int streams, Opener opener, List<BareFlow.Cost> rounds) {
    Case(String what, int streams, Opener opener) {
      this(what, streams, opener, new ArrayList<>());
    }

    int requests() {
      return REQUESTS / streams;
    }

    int bytes() {
      return requests() * REQUEST_BYTES;
    }

    double requestUs(int round) {
      return rounds.get(round).cpuUs() / requests();
    }
  }

  /**
   * Measures and returns a Markdown table of the medians (smallest–largest) of the rounds. Blocks
   * for minutes.
   */
  static String table(EventLoop loop) throws IOException, InterruptedException {
    int ports = Collections.max(STREAMS);
    BareGrpc grpc = new BareGrpc(loop, ports);
    BareTcp tcp = new BareTcp(loop, ports);
    List<Case> grpcCases = cases("gRPC", (streams, bytes) -> grpc.open(streams, bytes, 1));
    List<Case> tcpCases = cases("TCP", tcp::open);
    List<Case> order = new ArrayList<>(grpcCases);
    order.addAll(tcpCases);
    for (Case each : order) {
      measure(each);
    }
    for (int round = 0; round < ROUNDS; round++) {
      // Change the order, so that periodic disturbances do not always hit the same case.
      Collections.rotate(order, 1);
      for (Case each : order) {
        each.rounds.add(measure(each));
      }
    }
    StringBuilder table =
        new StringBuilder(
            """

            | | streams | requests per message | bytes | messages per s | CPU, µs per message | CPU, µs per request | relative to %d streams |
            |---|---|---|---|---|---|---|---|
            """
                .formatted(STREAMS.getFirst()));
    grpcCases.forEach(each -> table.append(row(each, grpcCases.getFirst())));
    tcpCases.forEach(each -> table.append(row(each, tcpCases.getFirst())));
    grpc.close();
    tcp.close();
    return table.toString();
  }

  private static List<Case> cases(String what, Opener opener) {
    return STREAMS.stream().map(streams -> new Case(what, streams, opener)).toList();
  }

  private static BareFlow.Cost measure(Case each) throws InterruptedException {
    return each.opener.open(each.streams, each.bytes()).measure(SETTLE_MS, MEASURED_MS);
  }

  private static String row(Case each, Case base) {
    return String.format(
        Locale.ROOT,
        "| %s | %d | %d | %,d | %s | %s | %s | %s |%n",
        each.what,
        each.streams,
        each.requests(),
        each.bytes(),
        spread("%,.0f", round -> each.rounds.get(round).perSecond()),
        spread("%.1f", round -> each.rounds.get(round).cpuUs()),
        spread("%.2f", each::requestUs),
        spread("%.1f", round -> each.requestUs(round) / base.requestUs(round)));
  }

  private static String spread(String format, IntToDoubleFunction figure) {
    double[] sorted = IntStream.range(0, ROUNDS).mapToDouble(figure).sorted().toArray();
    String all = format + " (" + format + "–" + format + ")";
    return String.format(Locale.ROOT, all, sorted[ROUNDS / 2], sorted[0], sorted[ROUNDS - 1]);
  }
}
