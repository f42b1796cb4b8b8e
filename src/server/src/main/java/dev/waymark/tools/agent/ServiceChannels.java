package dev.waymark.tools.agent;

import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.DialAddresses;
import io.grpc.ManagedChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * gRPC channels to one service, in plain text. Its name is resolved for each. Confined to the
 * agent's loop, on which calls are answered, too.
 */
final class ServiceChannels {
  private static final long NEVER_IDLE_DAYS = 365;
  private static final Duration DEAD_AFTER = Duration.ofSeconds(10);

  /** A channel, and how its connection goes. The receiver shuts it down. */
  record Opened(ManagedChannel channel, Dial dial) {}

  private final String address;
  private final DialAddresses addresses;
  private final Dialler dialler;

  ServiceChannels(ControlLoop control, String address, DialAddresses addresses) {
    this.address = address;
    this.addresses = addresses;
    this.dialler =
        new Dialler(
            control.eventLoop(), control.socketChannelType(), control.domainChannelType(), null);
    addresses.add(address);
  }

  /** Opens one, not yet connected. Calls back once, perhaps before this returns. */
  void open(Consumer<Opened> onOpen, Consumer<String> onFailed) {
    addresses.find(
        address,
        found -> {
          Dial dial = new Dial();
          var builder =
              dialler
                  .channel(address, found, null, dial)
                  .idleTimeout(NEVER_IDLE_DAYS, TimeUnit.DAYS);
          if (found instanceof InetSocketAddress) {
            dialler.detectDeadPeer(builder, DEAD_AFTER);
          }
          onOpen.accept(new Opened(builder.build(), dial));
        },
        problem -> onFailed.accept(problem.text()));
  }

  /** Ends: no callback follows. */
  void close() {
    addresses.close();
  }
}
