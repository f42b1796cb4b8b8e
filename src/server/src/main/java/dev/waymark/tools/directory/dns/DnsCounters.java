package dev.waymark.tools.directory.dns;

import dev.waymark.telemetry.Metrics;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts queries and answers. Thread-safe. */
final class DnsCounters {
  final LongAdder ignored = new LongAdder();
  final LongAdder truncated = new LongAdder();
  final LongAdder overRate = new LongAdder();
  final AtomicInteger connectionsOpen = new AtomicInteger();
  final LongAdder connectionsOpened = new LongAdder();
  final LongAdder connectionsEvicted = new LongAdder();
  private final Map<RecordType, LongAdder> queries = new EnumMap<>(RecordType.class);
  private final Map<ResponseCode, LongAdder> answers = new EnumMap<>(ResponseCode.class);

  DnsCounters() {
    for (RecordType each : RecordType.values()) {
      queries.put(each, new LongAdder());
    }
    for (ResponseCode each : ResponseCode.values()) {
      answers.put(each, new LongAdder());
    }
  }

  /** A query that could be read. */
  void query(RecordType type) {
    Objects.requireNonNull(queries.get(type), "every type").increment();
  }

  void answer(ResponseCode code) {
    Objects.requireNonNull(answers.get(code), "every code").increment();
  }

  void register(Metrics metrics, int connectionsMax) {
    queries.forEach((type, count) ->
        metrics.counter(
            "waymark_dns_queries_total",
            "Queries that could be read, by the type of the records.",
            count::sum,
            "type",
            type.name().toLowerCase(Locale.ROOT)));
    answers.forEach((code, count) ->
        metrics.counter(
            "waymark_dns_answers_total",
            "Answers, by their code.",
            count::sum,
            "code",
            code.name().toLowerCase(Locale.ROOT)));
    metrics.counter(
        "waymark_dns_answers_truncated_total",
        "Answers over UDP in which not all records fitted.",
        truncated::sum);
    metrics.counter(
        "waymark_dns_answers_over_rate_total",
        "Answers over UDP without records, because their source got too many.",
        overRate::sum);
    metrics.counter(
        "waymark_dns_packets_ignored_total",
        "Packets that were not answered: no queries, or from port 0, or while the socket took no"
            + " more.",
        ignored::sum);
    metrics.gauge(
        "waymark_dns_connections",
        "TCP connections that are open.",
        () -> (long) connectionsOpen.get());
    metrics.gauge(
        "waymark_dns_connections_max",
        "How many TCP connections may be open.",
        () -> (long) connectionsMax);
    metrics.counter(
        "waymark_dns_connections_opened_total",
        "TCP connections that were accepted.",
        connectionsOpened::sum);
    metrics.counter(
        "waymark_dns_connections_evicted_total",
        "TCP connections that were closed to make room for others.",
        connectionsEvicted::sum);
  }
}
