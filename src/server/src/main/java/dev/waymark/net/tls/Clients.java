package dev.waymark.net.tls;

import dev.waymark.net.tls.ServerTls.Client;
import java.security.cert.X509Certificate;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The connected clients of a listener that presented a certificate. Ends those that are no longer
 * trusted. Thread-safe; {@link #check} is called by one thread, which may block.
 */
final class Clients {
  private record Ending(Client client, Distrust why) {}

  /**
   * The clients that one check ends at most, so that thousands that lose their trust at once do not
   * all reconnect at once. With four checks a second, 400 a second.
   */
  private static final int ENDED_PER_CHECK_MAX = 100;

  private final Set<Client> all = ConcurrentHashMap.newKeySet();

  /** When the first certificate of a client expires, or earlier; Unix milliseconds. */
  private final AtomicLong nextExpiryMs = new AtomicLong(Long.MAX_VALUE);

  private final AtomicBoolean isRecheckDue = new AtomicBoolean();

  /** Those that a check found and that later ones end. */
  private final ArrayDeque<Ending> endings = new ArrayDeque<>();

  private volatile @Nullable ServerContexts inForce;

  /**
   * Adds a client whose handshake is complete. Any thread.
   *
   * @param trustedBy what was in force when its handshake began
   */
  void add(Client client, ServerContexts trustedBy) {
    // The order matters: a check that misses the client comes before the two lines below.
    long expiryMs = expiryMs(client);
    all.add(client);
    nextExpiryMs.accumulateAndGet(expiryMs, Math::min);
    if (trustedBy != inForce) {
      isRecheckDue.set(true);
    }
  }

  void remove(Client client) {
    all.remove(client);
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  private static long expiryMs(Client client) {
    long expiryMs = Long.MAX_VALUE;
    for (X509Certificate certificate : client.chain()) {
      try {
        expiryMs = Math.min(expiryMs, certificate.getNotAfter().toInstant().toEpochMilli());
      } catch (IllegalStateException unreadable) {
        // Behind what proves the client, there may be anything; BoringSSL has not looked at it.
        continue;
      }
    }
    return expiryMs;
  }

  /**
   * Checks all clients if the trust has changed, and otherwise those that have a certificate which
   * has expired.
   *
   * @param now what is in force
   * @param trust that of {@code now}
   */
  void check(ServerContexts now, Trust trust, long nowMs) {
    boolean isNew = now != inForce;
    inForce = now;
    boolean isForAll = isRecheckDue.getAndSet(false) || isNew;
    if (isForAll || nowMs > nextExpiryMs.get()) {
      find(isForAll, trust, nowMs);
    }
    for (int ended = 0; ended < ENDED_PER_CHECK_MAX && !endings.isEmpty(); ended++) {
      Ending next = endings.remove();
      if (all.remove(next.client())) {
        next.client().end(next.why());
      }
    }
  }

  private void find(boolean isForAll, Trust trust, long nowMs) {
    // Those that wait for their end may have lost more than their dates.
    boolean isForEach = isForAll || !endings.isEmpty();
    endings.clear();
    nextExpiryMs.set(Long.MAX_VALUE);
    Map<X509Certificate, Optional<Distrust>> verdicts = new HashMap<>();
    for (Client client : all) {
      long expiryMs = expiryMs(client);
      Optional<Distrust> distrust =
          isForEach || expiryMs < nowMs
              ? verdicts.computeIfAbsent(client.chain()[0], _ -> trust.distrust(client.chain()))
              : Optional.empty();
      distrust.ifPresent(why -> endings.add(new Ending(client, why)));
      if (expiryMs >= nowMs) {
        nextExpiryMs.accumulateAndGet(expiryMs, Math::min);
      }
    }
  }
}
