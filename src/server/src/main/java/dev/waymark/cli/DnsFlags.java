package dev.waymark.cli;

import dev.waymark.net.admission.Rate;
import dev.waymark.tools.directory.dns.DnsOptions;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The flags of a directory for DNS. */
final class DnsFlags {
  private static final String OFF = "off";

  @Option(
      names = "--dns",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:7453",
      description =
          "Where to serve DNS, over UDP and TCP: HOST:PORT, or off (default: ${DEFAULT-VALUE}).")
  private String address = "";

  @Option(
      names = "--dns-zone",
      paramLabel = "NAME",
      defaultValue = DnsOptions.ZONE,
      description =
          "The domain below which services are found by their names (default: ${DEFAULT-VALUE}).")
  private String zone = "";

  @Option(
      names = "--dns-ttl",
      paramLabel = "DURATION",
      defaultValue = "2s",
      description = "How long others may keep an answer (default: ${DEFAULT-VALUE}).")
  private String ttl = "";

  @Option(
      names = "--dns-rate",
      paramLabel = "RATE",
      defaultValue = "1000/s",
      description =
          "How many answers over UDP a network of sources gets, or off; others are told to use TCP"
              + " (default: ${DEFAULT-VALUE}).")
  private String rate = "";

  /** The address as it was given, for messages. */
  String address() {
    return address;
  }

  /** Empty if no DNS is served. */
  Optional<DnsOptions> options(FlagValues values) {
    if (address.equals(OFF)) {
      return Optional.empty();
    }
    DnsOptions defaults = DnsOptions.at(values.address("--dns", address));
    return Optional.of(
        new DnsOptions(
            defaults.listen(),
            zone(values),
            ttl(values),
            defaults.udpBytesMax(),
            defaults.connectionsMax(),
            defaults.idleTimeout(),
            rate(values)));
  }

  private String zone(FlagValues values) {
    try {
      return DnsOptions.readZone(zone);
    } catch (IllegalArgumentException bad) {
      throw values.refused("--dns-zone: " + zone + " (expected: " + bad.getMessage() + ")");
    }
  }

  private Duration ttl(FlagValues values) {
    Duration wanted = values.duration("--dns-ttl", ttl);
    if (wanted.toNanosPart() != 0) {
      throw values.refused("--dns-ttl: " + ttl + " (expected: whole seconds)");
    }
    return wanted;
  }

  private Optional<Rate> rate(FlagValues values) {
    if (rate.equals(OFF)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Rate.read(rate));
    } catch (IllegalArgumentException bad) {
      throw values.refused("--dns-rate: " + rate + " (expected: " + bad.getMessage() + ", or off)");
    }
  }
}
