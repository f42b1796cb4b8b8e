package dev.waymark.config;

import dev.waymark.net.admission.Network;
import dev.waymark.net.admission.Rate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The keys of a listener that say who may connect to it, and how often. Immutable. */
public final class LimitKeys {
  static final KeyGroup<ListenerConfig> GROUP =
      new KeyGroup<>("Limits for clients", Scope.LISTENER, "");

  static final Key<ListenerConfig, List<Network>> ALLOWED =
      GROUP
          .key("networks-allowed", ValueType.networks())
          .orElse(List.of())
          .example("192.0.2.0/24, 2001:db8::/32")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Networks of clients that may connect; if there are any, here or in the file, no others may. The narrowest allowed or denied network that contains the client decides; denied if both are the same.");

  static final Key<ListenerConfig, NetworkFile> ALLOWED_FILE =
      GROUP
          .key("networks-allowed-file", NetworkFile.type())
          .orElse(NetworkFile.NONE)
          .readByHand()
          .example("/etc/waymark/allowed.txt")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "File with more of them, one a line; # starts a comment. At most 100,000. A reload reads it again.");

  static final Key<ListenerConfig, List<Network>> DENIED =
      GROUP
          .key("networks-denied", ValueType.networks())
          .orElse(List.of())
          .example("198.51.100.0/24")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Networks of clients that may not connect.");

  static final Key<ListenerConfig, NetworkFile> DENIED_FILE =
      GROUP
          .key("networks-denied-file", NetworkFile.type())
          .orElse(NetworkFile.NONE)
          .readByHand()
          .example("/etc/waymark/denied.txt")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "File with more of them, one a line; # starts a comment. At most 100,000. A reload reads it again.");

  static final List<Key<ListenerConfig, NetworkFile>> FILES = List.of(ALLOWED_FILE, DENIED_FILE);

  static final Key<ListenerConfig, Integer> CONNECTIONS_PER_SOURCE =
      GROUP
          .key("connections-per-source", ValueType.numberOrOff(10_000_000))
          .byDefault("off")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Connections at a time from one source: an IPv4 address, or an IPv6 network of 64 bits.");

  static final Key<ListenerConfig, Optional<Rate>> ACCEPT_RATE_PER_SOURCE =
      GROUP
          .key("accept-rate-per-source", ValueType.rateOrOff())
          .byDefault("off")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "How often one source may connect. After a pause of a second, minute or hour, as many connections may come at once.");

  static final Key<ListenerConfig, Optional<Rate>> ACCEPT_RATE =
      GROUP
          .key("accept-rate", ValueType.rateOrOff())
          .byDefault("off")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("How many clients may connect, from all sources together.");

  static final Key<ListenerConfig, Duration> ACCEPT_RAMP =
      GROUP
          .key("accept-ramp", ValueType.durationOrOff("24h"))
          .byDefault("off")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "For this long after the start of the listener, accept-rate grows from a tenth to its value.");

  static final Key<ListenerConfig, Duration> FIRST_BYTE_TIMEOUT =
      GROUP
          .key("first-byte-timeout", ValueType.durationOrOff("24h"))
          .byDefault("off")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "A connection whose client sends nothing for this long from its start is closed. off: never, for protocols in which the server speaks first.");

  private LimitKeys() {}
}
