package dev.waymark.net.listener;

import dev.waymark.net.admission.Source;
import dev.waymark.net.admission.Verdict;
import io.netty.channel.Channel;
import java.net.InetAddress;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks the admission of a listener about clients, and reports those that it refuses. Thread-safe.
 *
 * @param clockNs the same for all ports and threads
 */
record Admitter(LongSupplier clockNs, ListenerEvents events) {
  /**
   * Returns whether the client may stay. If so, it counts until its channel closes; if not, the
   * caller closes the channel.
   *
   * @param source the client's address; null if nobody knows it
   * @param name of the client in the log
   */
  boolean admit(
      ListenerPort.Use use, Channel client, @Nullable InetAddress source, Supplier<String> name) {
    return switch (use.admission().admit(source, clockNs.getAsLong())) {
      case Verdict.Admitted(Source counted) -> {
        if (counted != null) {
          client.closeFuture().addListener(_ -> use.admission().leave(counted));
        }
        yield true;
      }
      case Verdict.Refused(Verdict.Why why, String detail) -> {
        RefusalReason reason = RefusalReason.of(why);
        use.counters().refuse(reason);
        events.onRefused(use.listener(), name.get(), reason, detail);
        yield false;
      }
    };
  }
}
