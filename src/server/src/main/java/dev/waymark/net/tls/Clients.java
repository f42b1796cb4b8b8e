package dev.waymark.net.tls;

import dev.waymark.net.tls.ServerTls.Client;
import java.security.cert.X509Certificate;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
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
 *
 * <p>Verifying a client takes a fraction of a millisecond, and there may be a hundred thousand of
 * them, so that each check goes on with the scan where the last one stopped: between them, the
 * thread looks at files.
 */
final class Clients {
  private record Ending(Client client, Distrust why) {}

  /**
   * The clients that one check ends at most, so that thousands that lose their trust at once do not
   * all reconnect at once. With four checks a second, 400 a second.
   */
  private static final int ENDED_PER_CHECK_MAX = 100;

  /** The clients that one check looks at. */
  private static final int SCANNED_PER_CHECK_MAX = 1_000;

  private final Set<Client> all = ConcurrentHashMap.newKeySet();

  /** When the first certificate of a client expires, or earlier; Unix milliseconds. */
  private final AtomicLong nextExpiryMs = new AtomicLong(Long.MAX_VALUE);

  private final AtomicBoolean isRecheckDue = new AtomicBoolean();

  /** Those that a scan found and that later checks end. */
  private final ArrayDeque<Ending> endings = new ArrayDeque<>();

  private final Map<X509Certificate, Optional<Distrust>> verdicts = new HashMap<>();
  private volatile @Nullable Trust inForce;

  /** What is left of the scan. */
  private Iterator<Client> scan = Collections.emptyIterator();

  private boolean isScanForAll;

  /** Dates up to this one have been looked at, before the scan. */
  private long scannedUntilMs = Long.MIN_VALUE;

  /** Dates up to this one are looked at by the scan. */
  private long scanAtMs = Long.MIN_VALUE;

  /**
   * Adds a client whose handshake is complete. Any thread.
   *
   * @param trustedBy what was in force when its handshake began
   */
  void add(Client client, Trust trustedBy, long nowMs) {
    // The order matters: a check that misses the client comes before the two lines below.
    long expiryMs = nextExpiryMs(client, nowMs);
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

  /** When the next certificate of the chain expires. Those that have expired are not needed. */
  private static long nextExpiryMs(Client client, long nowMs) {
    long nextMs = Long.MAX_VALUE;
    for (X509Certificate certificate : client.chain()) {
      long expiryMs = expiryMs(certificate);
      nextMs = expiryMs < nowMs ? nextMs : Math.min(nextMs, expiryMs);
    }
    return nextMs;
  }

  /** Whether a certificate of the chain has expired between the two. */
  private static boolean hasExpired(Client client, long fromMs, long untilMs) {
    for (X509Certificate certificate : client.chain()) {
      long expiryMs = expiryMs(certificate);
      if (expiryMs >= fromMs && expiryMs < untilMs) {
        return true;
      }
    }
    return false;
  }

  private static long expiryMs(X509Certificate certificate) {
    try {
      return certificate.getNotAfter().toInstant().toEpochMilli();
    } catch (IllegalStateException unreadable) {
      // Behind what proves the client, there may be anything; BoringSSL has not looked at it.
      return Long.MAX_VALUE;
    }
  }

  /**
   * Checks all clients if the trust has changed, and otherwise those that have a certificate which
   * has expired.
   *
   * @param trust what is in force
   */
  void check(Trust trust, long nowMs) {
    boolean isNew = trust != inForce;
    inForce = trust;
    boolean isForAll = isRecheckDue.getAndSet(false) || isNew;
    if (isForAll || nowMs > nextExpiryMs.get()) {
      begin(isForAll, nowMs);
    }
    goOn(trust);
    for (int ended = 0; ended < ENDED_PER_CHECK_MAX && !endings.isEmpty(); ended++) {
      Ending next = endings.remove();
      if (all.remove(next.client())) {
        next.client().end(next.why());
      }
    }
  }

  private void begin(boolean isForAll, long nowMs) {
    if (scan.hasNext()) {
      // Those that it has not reached yet are looked at by this one.
      isScanForAll |= isForAll;
    } else {
      scannedUntilMs = scanAtMs;
      isScanForAll = isForAll;
    }
    // Those that wait for their end may have lost more than their dates.
    isScanForAll |= !endings.isEmpty();
    endings.clear();
    verdicts.clear();
    nextExpiryMs.set(Long.MAX_VALUE);
    scanAtMs = nowMs;
    scan = all.iterator();
  }

  private void goOn(Trust trust) {
    for (int scanned = 0; scanned < SCANNED_PER_CHECK_MAX && scan.hasNext(); scanned++) {
      Client client = scan.next();
      nextExpiryMs.accumulateAndGet(nextExpiryMs(client, scanAtMs), Math::min);
      if (isScanForAll || hasExpired(client, scannedUntilMs, scanAtMs)) {
        verdicts
            .computeIfAbsent(client.chain()[0], _ -> trust.distrust(client.chain()))
            .ifPresent(why -> endings.add(new Ending(client, why)));
      }
    }
    if (!scan.hasNext()) {
      verdicts.clear();
    }
  }
}
